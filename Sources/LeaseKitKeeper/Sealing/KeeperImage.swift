// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What a keeper's file holds.
///
///     8  magic, "LKKEEPER"
///     2  format version, 1
///     1  length of the keeper's id, then the id
///     8  tag of the key
///     8  revision: grows with each write
///     8  how many writes this key has sealed, this one included
///     12 nonce
///     4  length of what is sealed, then that: the table under AES-256-GCM, and 16 bytes of its tag
///
/// Numbers are big-endian. All in front of the ciphertext is its associated data. The whole table is sealed at once, names
/// and all: no entry can be exchanged for another one's, another keeper's or an older one of its own.
struct KeeperImage: Sendable {
    var table: KeeperTable
    var revision: UInt64
    var sealings: UInt64

    static let maximumTable = 1 << 20
    static let maximumFile = maximumTable + 1024

    private static let magic = Array("LKKEEPER".utf8)
    private static let formatVersion: UInt16 = 1

    /// Seals the table under a fresh nonce.
    func sealed(id: String, keys: DerivedKeys) throws(CipherFailure) -> [UInt8] {
        let nonce = Cipher.nonce()
        let message = table.encoded()
        var header = ByteWriter()
        header.put(Self.magic)
        header.put(Self.formatVersion)
        header.put(UInt8(id.utf8.count))
        header.put(Array(id.utf8))
        header.put(keys.tag)
        header.put(revision)
        header.put(sealings)
        header.put(nonce)
        header.put(UInt32(message.count + Cipher.tagLength))
        return try header.bytes + Cipher.seal(message, key: keys.sealing, nonce: nonce, header: header.bytes)
    }

    /// Reads what `sealed` made.
    ///
    /// - Parameter keys: Those it may be under.
    /// - Returns: The image, and which of the keys it is under.
    static func open(
        _ bytes: [UInt8],
        id: String,
        keys: [DerivedKeys],
        path: String
    ) throws(SecretKeeperError) -> (KeeperImage, key: Int) {
        var reader = ByteReader(bytes[...])
        guard reader.take(magic.count) == magic[...], let version: UInt16 = reader.number(), version > 0 else {
            throw damaged(path)
        }
        guard version <= formatVersion else {
            throw SecretKeeperError(
                .futureVersion,
                "\(path) has format \(version), and this LeaseKit knows \(formatVersion): use the newer one again."
            )
        }
        guard let length: UInt8 = reader.number(), let found = reader.take(Int(length)) else { throw damaged(path) }
        guard Array(found) == Array(id.utf8) else {
            throw SecretKeeperError(
                .wrongKeeper,
                "\(path) is another keeper than “\(id)”, or was changed: correct the path or the id."
            )
        }
        guard let tag = reader.take(DerivedKeys.tagLength), let revision: UInt64 = reader.number(),
            let sealings: UInt64 = reader.number(), let nonce = reader.take(Cipher.nonceLength),
            let count: UInt32 = reader.number(), reader.rest.count == Int(count)
        else { throw damaged(path) }
        guard let key = keys.firstIndex(where: { $0.tag == Array(tag) }) else {
            throw SecretKeeperError(.wrongKey, "\(path) was written under another key: supply that one.")
        }
        let header = Array(bytes.dropLast(reader.rest.count))
        let message: WipedBytes?
        do {
            message = try Cipher.open(reader.rest, key: keys[key].sealing, nonce: Array(nonce), header: header)
        } catch {
            throw cannotSeal(error)
        }
        guard let message, let table = KeeperTable(encoded: message) else { throw damaged(path) }
        return (KeeperImage(table: table, revision: revision, sealings: sealings), key)
    }

    private static func damaged(_ path: String) -> SecretKeeperError {
        SecretKeeperError(
            .tampered,
            "\(path) is not as LeaseKit wrote it (damaged, cut off, or changed): restore the newest copy, and find out who can "
                + "write there."
        )
    }

    static func cannotSeal(_ cause: CipherFailure) -> SecretKeeperError {
        SecretKeeperError(
            .unavailable,
            "The cryptographic library refuses AES-256-GCM or HMAC: see to its configuration.",
            underlying: cause
        )
    }
}
