// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper
import Testing

/// What a released version wrote stays readable.
@Suite struct KeeperFormatTests {
    private static let versionOne = "@@"

    @Test func formatOneIsRead() async throws {
        let scratch = try Scratch()
        let digits = Array(Self.versionOne.utf8)
        try scratch.put(
            stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
        )
        let keeper = try await scratch.open(id: "format", keys: [KeeperKey((0..<32).map { UInt8($0) })])
        #expect(keeper.revision == 4)
        #expect(try await keeper.names() == ["db/root"])
        #expect(
            try await keeper.load("db/root")
                == KeptSecrets(
                    committed: KeptSecret(SecretText("first"), version: 1),
                    staged: KeptSecret(SecretText("second"), version: 2)
                )
        )
    }
}
