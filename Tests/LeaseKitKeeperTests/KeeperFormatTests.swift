// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper
import Testing

/// What a released version wrote stays readable.
@Suite struct KeeperFormatTests {
    /// Made by another implementation, from the description of the format: key 0…31, nonce 100…111.
    private static let versionOne =
        "4c4b4b4545504552000106666f726d6174de1c983e4ccb91190000000000000004000000000000000464656667"
        + "68696a6b6c6d6e6f000000486818990570a959c2d34cae5ed8564a771bc258c8822ee090eb01fbe1319f3b3b8a"
        + "f98c0208c48a1d5ddc40b4797fa2cc8651514d4696e227a010d4135be803c38346de98fa1d53c8"

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
