// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension UnsafeRawBufferPointer {
    /// Whether the bytes are the same: eight at a time, since this is asked of every path and handle.
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        if baseAddress == other.baseAddress { return true }
        var place = 0
        while place + 8 <= count {
            let left = loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if left != other.loadUnaligned(fromByteOffset: place, as: UInt64.self) { return false }
            place += 8
        }
        while place < count {
            if self[place] != other[place] { return false }
            place += 1
        }
        return true
    }
}

extension String {
    /// Whether this is what the bytes say, with nothing repaired.
    func hasSameBytes(as bytes: [UInt8]) -> Bool {
        let isSame = utf8.withContiguousStorageIfAvailable { text in
            bytes.withUnsafeBytes { UnsafeRawBufferPointer(text).hasSameBytes(as: $0) }
        }
        return isSame ?? utf8.elementsEqual(bytes)
    }
}

extension [UInt8] {
    /// Whether no byte has its highest bit set, looked at in words.
    var isASCII: Bool {
        withUnsafeBytes { bytes in
            var place = 0
            while place + 8 <= bytes.count {
                if bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 {
                    return false
                }
                place += 8
            }
            return bytes[place...].allSatisfy { $0 < 0x80 }
        }
    }

    /// Whether the bytes are the same, compared in words.
    func hasSameBytes(as other: [UInt8]) -> Bool {
        withUnsafeBytes { bytes in other.withUnsafeBytes { bytes.hasSameBytes(as: $0) } }
    }
}
