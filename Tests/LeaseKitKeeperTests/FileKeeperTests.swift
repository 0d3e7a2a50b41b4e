// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper
import LeaseKitTesting
import Testing

@Suite struct FileKeeperTests {
    @Test func conforms() async throws {
        let scratches = Locked<[Scratch]>([])
        var suite = SecretKeeperConformance {
            let scratch = try Scratch()
            scratches.withLock { $0.append(scratch) }
            return try await scratch.open()
        }
        suite.reopen = { keeper in
            await (keeper as? FileSecretKeeper)?.close()
            return try await scratches.withLock { $0[$0.count - 1] }.open()
        }
        try await suite.run()
    }

    @Test func fiftyTasksAtOnceLoseNothing() async throws {
        let scratch = try Scratch()
        let keeper = try await scratch.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    var committed: UInt64?
                    for round in 0..<3 {
                        let secret = SecretText("\(number).\(round)")
                        let version = try await keeper.stage(secret, as: "n/\(number)", replacing: committed)
                        try await keeper.commit("n/\(number)", version: version)
                        committed = version
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(keeper.revision == 1 + 50 * 3 * 2)
        await keeper.close()
        let again = try await scratch.open()
        #expect(try await again.names().count == 50)
        for number in 0..<50 {
            #expect(try await again.load("n/\(number)").texts == ["\(number).2", nil])
        }
    }

    @Test func theFileShowsNothing() async throws {
        let scratch = try Scratch()
        let keeper = try await scratch.open()
        let version = try await keeper.stage(SecretText("hunter2-hunter2"), as: "db/administrator", replacing: nil)
        try await keeper.commit("db/administrator", version: version)
        let text = String(decoding: try scratch.bytes(), as: UTF8.self)
        #expect(text.hasPrefix("LKKEEPER") && text.contains("victim"))
        for hidden in ["hunter2", "administrator"] { #expect(!text.contains(hidden)) }
        #expect(try scratch.bytes().count < 200)
    }

    @Test func noNonceIsUsedTwice() async throws {
        let scratch = try Scratch()
        let keeper = try await scratch.open()
        var nonces: Set<[UInt8]> = []
        // After the magic, the version, the id and its length, the key's tag and two numbers.
        let start = 8 + 2 + 1 + "victim".utf8.count + 8 + 8 + 8
        for round in 0..<100 {
            let version = try await keeper.stage(SecretText("same"), as: "a", replacing: nil)
            nonces.insert(Array(try scratch.bytes()[start..<start + 12]))
            try await keeper.discard("a", version: version)
            nonces.insert(Array(try scratch.bytes()[start..<start + 12]))
            #expect(nonces.count == 2 * (round + 1))
        }
    }

    @Test func aKeyThatSealedTooMuchIsRefused() async throws {
        let scratch = try Scratch()
        let keeper = try await FileSecretKeeper.open(
            at: scratch.path,
            id: "victim",
            keys: [scratch.key],
            maximumSealings: 3,
            hook: { _ in }
        )
        let version = try await keeper.stage(SecretText("a"), as: "a", replacing: nil)
        try await keeper.commit("a", version: version)
        await expectCode(.keyExhausted) { try await keeper.stage(SecretText("b"), as: "b", replacing: nil) }
        #expect(try await keeper.load("a").texts == ["a", nil])
        try await keeper.rekey(to: .random())
        _ = try await keeper.stage(SecretText("b"), as: "b", replacing: nil)
    }

    @Test func nothingAsksForItAfterTheEnd() async throws {
        let scratch = try Scratch()
        let keeper = try await scratch.open()
        await expectCode(.locked) { try await scratch.open() }
        await keeper.close()
        await keeper.close()
        await expectCode(.closed) { try await keeper.load("a") }
        await expectCode(.closed) { try await keeper.names() }
        let again = try await scratch.open()
        #expect(again.revision == 1)
    }

    @Test func theLastReferenceClosesIt() async throws {
        let scratch = try Scratch()
        do { _ = try await scratch.open().names() }
        _ = try await scratch.open()
    }

    @Test func aKeeperThatMustBeThereIsNotCreated() async throws {
        let scratch = try Scratch()
        await expectCode(.missing) {
            try await FileSecretKeeper.open(at: scratch.path, id: "victim", key: scratch.key, isCreatable: false)
        }
        await expectCode(.missing) {
            try await FileSecretKeeper.open(at: scratch.folder + "/no/keeper", id: "victim", key: scratch.key)
        }
        await expectCode(.notRegularFile) {
            try await FileSecretKeeper.open(at: scratch.folder + "/", id: "victim", key: scratch.key)
        }
        for id in ["", "a b", String(repeating: "i", count: 65)] {
            await expectCode(.invalidName) {
                try await FileSecretKeeper.open(at: scratch.path, id: id, key: scratch.key)
            }
        }
    }

    @Test func aKeeperThatIsRemovedMeanwhileIsMissed() async throws {
        let scratch = try Scratch()
        let keeper = try await scratch.open()
        try scratch.remove()
        await expectCode(.missing) { try await keeper.load("a") }
        await expectCode(.missing) { try await keeper.stage(SecretText("s"), as: "a", replacing: nil) }
    }

    @Test func aTableThatGrowsTooLargeIsRefusedAndIntact() async throws {
        let scratch = try Scratch()
        let keeper = try await scratch.open()
        let large = SecretText(String(repeating: "l", count: SecretKeeperLimits.maximumSecretLength))
        var count = 0
        await expectCode(.keeperFull) {
            while count < 20 {
                _ = try await keeper.stage(large, as: "\(count)", replacing: nil)
                count += 1
            }
        }
        #expect(count == 15)
        #expect(try await keeper.names().count == 15)
        try await keeper.discard("0", version: 1)
    }
}
