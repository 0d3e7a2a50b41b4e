// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A hash table from anything to slots, in shards that grow one at a time, so that no insertion takes long.
///
/// It keeps 32 bits of the hash beside each slot: a probe rarely looks at a row in vain, and growing looks at none.
struct SlotIndex {
    private struct Shard {
        /// The hash fragment above, the slot plus one below; zero where nothing is.
        ///
        /// A power of two of them.
        var cells: ContiguousArray<UInt64> = []
        var count = 0
    }

    private var shards: ContiguousArray<Shard>
    private let shardMask: UInt64
    private(set) var count = 0

    init(shards: Int = 256) {
        self.shards = ContiguousArray(repeating: Shard(), count: shards)
        shardMask = UInt64(shards - 1)
    }

    /// The slot of this hash that `matches` says is the one.
    @inline(__always)
    func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        let fragment = Self.fragment(hash)
        return shards[Int(hash & shardMask)].cells.withUnsafeBufferPointer { cells in
            if cells.isEmpty { return nil }
            let mask = cells.count - 1
            var place = Int(fragment) & mask
            while cells[place] != 0 {
                if cells[place] >> 32 == fragment {
                    let slot = UInt32(truncatingIfNeeded: cells[place]) &- 1
                    if matches(slot) { return slot }
                }
                place = (place + 1) & mask
            }
            return nil
        }
    }

    /// Adds a slot that is not there yet.
    mutating func insert(_ hash: UInt64, _ slot: UInt32) {
        let shard = Int(hash & shardMask)
        if shards[shard].count * 4 >= shards[shard].cells.count * 3 { grow(shard) }
        let cell = Self.fragment(hash) << 32 | UInt64(slot + 1)
        shards[shard].cells.withUnsafeMutableBufferPointer { Self.put(cell, into: $0) }
        shards[shard].count += 1
        count += 1
    }

    /// Takes a slot out.
    mutating func remove(_ hash: UInt64, _ slot: UInt32) {
        let shard = Int(hash & shardMask)
        let cell = Self.fragment(hash) << 32 | UInt64(slot + 1)
        let wasThere = shards[shard].cells.withUnsafeMutableBufferPointer { Self.take(cell, outOf: $0) }
        if wasThere {
            shards[shard].count -= 1
            count -= 1
        }
    }

    private mutating func grow(_ shard: Int) {
        let old = shards[shard].cells
        var cells = ContiguousArray<UInt64>(repeating: 0, count: max(8, old.count * 2))
        cells.withUnsafeMutableBufferPointer { cells in
            for cell in old where cell != 0 { Self.put(cell, into: cells) }
        }
        shards[shard].cells = cells
    }

    private static func fragment(_ hash: UInt64) -> UInt64 { (hash >> 16) & 0xFFFF_FFFF }

    private static func put(_ cell: UInt64, into cells: UnsafeMutableBufferPointer<UInt64>) {
        let mask = cells.count - 1
        var place = Int(cell >> 32) & mask
        while cells[place] != 0 { place = (place + 1) & mask }
        cells[place] = cell
    }

    private static func take(_ cell: UInt64, outOf cells: UnsafeMutableBufferPointer<UInt64>) -> Bool {
        if cells.isEmpty { return false }
        let mask = cells.count - 1
        var hole = Int(cell >> 32) & mask
        while cells[hole] != cell {
            if cells[hole] == 0 { return false }
            hole = (hole + 1) & mask
        }
        // Whatever follows moves up when the hole lies between its home and its place.
        var place = (hole + 1) & mask
        while cells[place] != 0 {
            let home = Int(cells[place] >> 32) & mask
            if (place - home) & mask >= (place - hole) & mask {
                cells[hole] = cells[place]
                hole = place
            }
            place = (place + 1) & mask
        }
        cells[hole] = 0
        return true
    }
}

extension String {
    /// A hash of the bytes (FNV-1a over words), so that two strings are the same only when their bytes are.
    var byteHash: UInt64 {
        utf8.withContiguousStorageIfAvailable { Self.hash($0) } ?? Array(utf8).withUnsafeBufferPointer { Self.hash($0) }
    }

    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let raw = UnsafeRawBufferPointer(bytes)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(raw.count)
        var place = 0
        while place + 8 <= raw.count {
            hash = (hash ^ raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            place += 8
        }
        while place < raw.count {
            hash = (hash ^ UInt64(raw[place])) &* 0x100_0000_01b3
            place += 1
        }
        return (hash ^ (hash >> 29)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Whether the bytes are the same; `==` also holds for other spellings of the same characters.
    func hasSameBytes(as other: String) -> Bool {
        let isSame = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                UnsafeRawBufferPointer(left).hasSameBytes(as: UnsafeRawBufferPointer(right))
            }
        }
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}
