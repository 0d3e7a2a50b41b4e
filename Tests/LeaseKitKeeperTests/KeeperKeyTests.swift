// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper
import Testing

@Suite struct KeeperKeyTests {
    @Test(arguments: [0, 16, 31, 33, 64])
    func onlyThirtyTwoBytesAreAKey(count: Int) async throws {
        await expectCode(.invalidKey) { try KeeperKey((0..<count).map { UInt8($0) }) }
    }

    @Test func aPlaceholderIsNoKey() async throws {
        await expectCode(.invalidKey) { try KeeperKey([UInt8](repeating: 0, count: 32)) }
        await expectCode(.invalidKey) { try KeeperKey(SecretText(String(repeating: "x", count: 32))) }
    }

    @Test func aKeyShowsNothingAndComesBack() throws {
        let bytes = Array("a key of thirty-two bytes, no less".utf8.prefix(32))
        let key = try KeeperKey(bytes)
        #expect("\(key) \(String(reflecting: key))" == "<redacted> <redacted>")
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("thirty") && Mirror(reflecting: key).children.isEmpty)
        #expect(key.withBytes { Array($0) } == bytes)
        #expect(try key == KeeperKey(SecretText(utf8: bytes)))
        #expect(KeeperKey.random() != KeeperKey.random())
    }

    @Test func aKeyIsReadFromAFileOfItsOwner() async throws {
        let scratch = try Scratch()
        let path = scratch.folder + "/key"
        await expectCode(.missing) { try KeeperKey(contentsOfFile: path) }
        let bytes = scratch.key.withBytes { Array($0) }
        try scratch.put(bytes, path)
        #expect(try KeeperKey(contentsOfFile: path) == scratch.key)
        try scratch.put(bytes, path, mode: 0o400)
        #expect(try KeeperKey(contentsOfFile: path) == scratch.key)
        for mode in [0o640, 0o604, 0o644] {
            try scratch.setMode(mode, path)
            await expectCode(.permissionsTooOpen) { try KeeperKey(contentsOfFile: path) }
        }
        try scratch.setMode(0o600, path)
        for wrong in [bytes + [0x0A], Array(bytes.dropLast()), []] {
            try scratch.put(wrong, path)
            await expectCode(.invalidKey) { try KeeperKey(contentsOfFile: path) }
        }
    }
}
