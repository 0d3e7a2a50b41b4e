// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension KeeperTable {
    /// How many bytes it takes, to refuse a table that has grown too large before it is encoded.
    var encodedLength: Int {
        entries.reduce(12) { sum, entry in
            let secrets = [entry.value.committed, entry.value.staged].compactMap { $0 }
            return sum + 2 + entry.key.utf8.count + secrets.reduce(0) { $0 + 12 + $1.secret.byteCount }
        }
    }

    /// The newest version; how many names; of each, its length, the name, which of the two secrets it has (1, 2 or 3), and
    /// of each secret its version, length and bytes.
    func encoded() -> WipedBytes {
        WipedBytes(count: encodedLength) { memory in
            var offset = 0
            func put(_ bytes: UnsafeRawBufferPointer) {
                UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: bytes)
                offset += bytes.count
            }
            func put<Number: FixedWidthInteger & UnsignedInteger>(number: Number) {
                withUnsafeBytes(of: number.bigEndian) { put($0) }
            }
            put(number: lastVersion)
            put(number: UInt32(entries.count))
            for (name, kept) in entries.sorted(by: { $0.key < $1.key }) {
                put(number: UInt8(name.utf8.count))
                Array(name.utf8).withUnsafeBytes { put($0) }
                put(number: UInt8((kept.committed == nil ? 0 : 1) + (kept.staged == nil ? 0 : 2)))
                for kept in [kept.committed, kept.staged].compactMap({ $0 }) {
                    put(number: kept.version)
                    put(number: UInt32(kept.secret.byteCount))
                    kept.secret.withBytes { put(UnsafeRawBufferPointer($0)) }
                }
            }
        }
    }

    /// Reads it back; nil when it is not one.
    ///
    /// The seal has been checked by then. This is for a fault of ours, which must not become a trap.
    init?(encoded message: WipedBytes) {
        let table: KeeperTable? = message.withBytes { message in
            var reader = ByteReader(message[...])
            guard let lastVersion: UInt64 = reader.number(), let count: UInt32 = reader.number() else { return nil }
            var entries: [String: KeptSecrets] = [:]
            for _ in 0..<count {
                guard let length: UInt8 = reader.number(), let name = reader.take(Int(length)),
                    let flags: UInt8 = reader.number(), (1...3).contains(flags)
                else { return nil }
                let committed = flags & 1 == 0 ? nil : Self.secret(&reader)
                let staged = flags & 2 == 0 ? nil : Self.secret(&reader)
                guard (committed != nil) == (flags & 1 != 0), (staged != nil) == (flags & 2 != 0) else { return nil }
                entries[String(decoding: name, as: UTF8.self)] = KeptSecrets(committed: committed, staged: staged)
            }
            return reader.rest.isEmpty ? KeeperTable(entries, lastVersion: lastVersion) : nil
        }
        guard let table else { return nil }
        self = table
    }

    private static func secret(_ reader: inout ByteReader<Slice<UnsafeRawBufferPointer>>) -> KeptSecret? {
        guard let version: UInt64 = reader.number(), let length: UInt32 = reader.number(),
            let found = reader.take(Int(length))
        else { return nil }
        var bytes = Array(found)
        defer { WipedBytes.wipe(&bytes) }
        return KeptSecret(SecretText(utf8: bytes), version: version)
    }
}
