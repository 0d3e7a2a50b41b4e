// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What is made of the app's key for one keeper.
///
/// Each keeper id has a key of its own, so that two keepers under one key by mistake share neither nonces nor files. The
/// tag tells a wrong key from a damaged file; of the key it says nothing that the ciphertext does not.
struct DerivedKeys: Sendable {
    let sealing: WipedBytes
    let tag: [UInt8]

    static let tagLength = 8

    init(_ key: KeeperKey, id: String) throws(CipherFailure) {
        let root = key.withBytes { bytes in WipedBytes(count: bytes.count) { $0.copyBytes(from: bytes) } }
        sealing = try Cipher.authenticate(Array("LeaseKit keeper 1, sealing: \(id)".utf8), key: root)
        tag = try Cipher.authenticate(Array("LeaseKit keeper 1, tag: \(id)".utf8), key: root)
            .withBytes { Array($0.prefix(Self.tagLength)) }
    }
}
