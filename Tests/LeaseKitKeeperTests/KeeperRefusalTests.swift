// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitKeeper
import Testing

@Suite struct KeeperRefusalTests {
    @Test func everyFlippedBitIsNoticed() async throws {
        let scratch = try Scratch()
        try await scratch.prepare(isStaged: true)
        let good = try scratch.bytes()
        let keeper = try await scratch.open()
        let codes: Set<SecretKeeperError.Code> = [.tampered, .wrongKey, .wrongKeeper, .futureVersion]
        var seen: Set<SecretKeeperError.Code> = []
        for bit in 0..<good.count * 8 {
            var bad = good
            bad[bit / 8] ^= 1 << (bit % 8)
            try scratch.put(bad)
            do {
                _ = try await keeper.load("a")
                Issue.record("bit \(bit) was not noticed")
            } catch {
                #expect(codes.contains(error.code), "bit \(bit): \(error)")
                seen.insert(error.code)
                // The key is right, so past the header nothing else can be said.
                if bit / 8 >= 41 { #expect(error.code == .tampered) }
            }
        }
        #expect(seen == codes)
        try scratch.put(good)
        #expect(try await keeper.load("a").texts == ["old", "new"])
    }

    @Test func everyCutAndEveryAdditionIsNoticed() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let good = try scratch.bytes()
        let keeper = try await scratch.open()
        for count in 0..<good.count {
            try scratch.put(Array(good[..<count]))
            await expectCode(.tampered, "cut to \(count)") { try await keeper.load("a") }
        }
        try scratch.put(good + [0])
        await expectCode(.tampered) { try await keeper.load("a") }
        await expectCode(.tampered) { try await keeper.stage(SecretText("new"), as: "b", replacing: nil) }
        // What is refused is left as it is found.
        #expect(try scratch.bytes() == good + [0])
    }

    @Test func aNewerFormatIsLeftAlone() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        var bytes = try scratch.bytes()
        bytes[9] = 2
        try scratch.put(bytes)
        await expectCode(.futureVersion) { try await scratch.open() }
        #expect(try scratch.bytes() == bytes)
    }

    @Test func aWrongKeyIsToldFromDamage() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        await expectCode(.wrongKey) { try await scratch.open(keys: [.random()]) }
        #expect(try await scratch.open().load("a").texts == ["old", nil])
    }

    @Test func anotherKeepersFileIsRefusedUnderTheSameKey() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        await expectCode(.wrongKeeper) { try await scratch.open(id: "other") }
        // Also when the id in the file is changed to fit.
        var bytes = try scratch.bytes()
        bytes.replaceSubrange(11..<17, with: Array("wictim".utf8))
        try scratch.put(bytes)
        await expectCode(.wrongKey) { try await scratch.open(id: "wictim") }
    }

    @Test func anOlderCopyIsRefused() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let old = try scratch.bytes()
        let keeper = try await scratch.open()
        _ = try await keeper.stage(SecretText("b"), as: "b", replacing: nil)
        let revision = keeper.revision
        try scratch.put(old)
        await expectCode(.rolledBack) { try await keeper.load("a") }
        await keeper.close()
        await expectCode(.rolledBack) {
            try await FileSecretKeeper.open(at: scratch.path, id: "victim", key: scratch.key, minimumRevision: revision)
        }
        // Nobody remembers: then it cannot be noticed.
        #expect(try await scratch.open().load("b").isEmpty)
        try scratch.remove()
        await expectCode(.missing) {
            try await FileSecretKeeper.open(at: scratch.path, id: "victim", key: scratch.key, minimumRevision: revision)
        }
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o660, 0o610, 0o666])
    func aFileThatOthersCanOpenIsRefused(mode: Int) async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let keeper = try await scratch.open()
        try scratch.setMode(mode)
        await expectCode(.permissionsTooOpen) { try await keeper.load("a") }
        await expectCode(.permissionsTooOpen) { try await keeper.stage(SecretText("b"), as: "b", replacing: nil) }
        await keeper.close()
        await expectCode(.permissionsTooOpen) { try await scratch.open() }
        try scratch.setMode(0o600)
        try scratch.setMode(mode, scratch.path + ".lock")
        await expectCode(.permissionsTooOpen) { try await scratch.open() }
    }

    @Test func filesAreMadeForTheirOwnerAlone() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        for path in [scratch.path, scratch.path + ".lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder).count == 2)
    }

    @Test func aFileOfSomebodyElseIsRefused() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        if geteuid() == 0 {
            #expect(chown(scratch.path, 12_345, 12_345) == 0)
            await expectCode(.permissionsTooOpen) { try await scratch.open() }
        } else {
            await expectCode(.permissionsTooOpen) { try KeeperKey(contentsOfFile: "/etc/passwd") }
        }
    }

    @Test func aFolderInWhichOthersExchangeFilesIsRefused() async throws {
        let scratch = try Scratch()
        for mode in [0o770, 0o707, 0o777] {
            try scratch.setMode(mode, scratch.folder)
            await expectCode(.permissionsTooOpen) { try await scratch.open() }
        }
        for mode in [0o755, 0o1777] {
            try scratch.setMode(mode, scratch.folder)
            await (try scratch.open()).close()
        }
    }

    @Test func symbolicLinksAreNotFollowed() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let files = FileManager.default
        let other = scratch.folder + "/other"
        try files.moveItem(atPath: scratch.path, toPath: other)
        try files.createSymbolicLink(atPath: scratch.path, withDestinationPath: other)
        await expectCode(.notRegularFile) { try await scratch.open() }
        try scratch.remove()
        try files.moveItem(atPath: other, toPath: scratch.path)

        // Nor where the new file is written before it takes the old one's place.
        try scratch.put([1, 2, 3], other)
        let keeper = try await scratch.open()
        try files.createSymbolicLink(atPath: scratch.path + ".new", withDestinationPath: other)
        _ = try await keeper.stage(SecretText("b"), as: "b", replacing: nil)
        #expect(try scratch.bytes(other) == [1, 2, 3])
        await keeper.close()

        try scratch.remove(scratch.path + ".lock")
        try files.createSymbolicLink(atPath: scratch.path + ".lock", withDestinationPath: other)
        await expectCode(.notRegularFile) { try await scratch.open() }
    }

    @Test func whatIsNoFileIsRefused() async throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: false)
        await expectCode(.notRegularFile) { try await scratch.open() }
        try scratch.remove()
        // Without a writer, opening a pipe waits for one.
        #expect(mkfifo(scratch.path, 0o600) == 0)
        await expectCode(.notRegularFile) { try await scratch.open() }
    }
}
