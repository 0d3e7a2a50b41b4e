// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A hash table from anything to slots, that grows by one bucket at a time: no insertion takes long, and nothing that is there
/// moves but half of one bucket.
///
/// A bucket is one line of the cache, in large pages: to find a slot in a table of millions costs one trip to memory. It keeps
/// 32 bits of the hash beside each slot, so that a search rarely looks at a row in vain, and splitting a bucket looks at none.
///
/// The buckets are split in turn (linear hashing). While the first 2ⁿ are being split, a hash belongs to the bucket that its
/// last n + 1 bits name if that is there already, else to the one that its last n bits name. What does not fit into a bucket
/// goes on in another one behind it; few do.
final class SlotIndex {
    /// Seven cells, then the number of the bucket that goes on behind them; zero for nothing, everywhere.
    ///
    /// A cell is the hash fragment above, the slot plus one below. There is no gap between cells, also not from a bucket to
    /// the one behind it, of which none is empty.
    private typealias Bucket = UnsafeMutablePointer<UInt64>
    private static var cells: Int { 7 }
    private static var width: Int { 8 }

    private let memory = Slabs<UInt64>()
    private let overflow = Slabs<UInt64>()
    @exclusivity(unchecked) private var overflowCount = 0
    @exclusivity(unchecked) private var freeOverflow: [Int] = []
    /// So that nobody can choose hashes that all meet in one bucket.
    private let seed: UInt64
    @exclusivity(unchecked) private var buckets = 1
    /// How many buckets there were when the first of them was split: a power of two.
    @exclusivity(unchecked) private var round = 1
    @exclusivity(unchecked) private(set) var count = 0

    init(seed: UInt64 = .random(in: 0 ... .max) | 1) {
        self.seed = seed
        memory.reserve(Self.width)
        memory.pointer(0).initialize(repeating: 0, count: Self.width)
    }

    /// The slot of this hash that `matches` says is the one.
    @inline(__always)
    func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        let fragment = fragment(hash)
        var bucket = home(of: fragment)
        while true {
            for place in 0..<Self.cells {
                let cell = bucket[place]
                if cell == 0 { return nil }
                if cell >> 32 == fragment {
                    let slot = UInt32(truncatingIfNeeded: cell) &- 1
                    if matches(slot) { return slot }
                }
            }
            guard let next = behind(bucket) else { return nil }
            bucket = next
        }
    }

    /// Adds a slot that is not there yet.
    func insert(_ hash: UInt64, _ slot: UInt32) { add(fragment(hash) << 32 | UInt64(slot + 1)) }

    /// Takes a slot out.
    func remove(_ hash: UInt64, _ slot: UInt32) {
        let fragment = fragment(hash)
        let wanted = fragment << 32 | UInt64(slot + 1)
        var bucket = home(of: fragment)
        var before: Bucket?
        var (found, last): (Bucket?, Bucket?)
        // The last cell of all takes the place of the one that goes.
        while true {
            for place in 0..<Self.cells where bucket[place] != 0 {
                last = bucket + place
                if bucket[place] == wanted { found = last }
            }
            guard let next = behind(bucket) else { break }
            (before, bucket) = (bucket, next)
        }
        guard let found, let last else { return }
        found.pointee = last.pointee
        last.pointee = 0
        count -= 1
        if let before, last == bucket { unlink(behind: before) }
    }

    /// A table of its own with the same slots.
    func copy() -> SlotIndex {
        let copy = SlotIndex(seed: seed)
        for number in 0..<buckets {
            var bucket: Bucket? = memory.pointer(number * Self.width)
            while let current = bucket {
                for place in 0..<Self.cells where current[place] != 0 { copy.add(current[place]) }
                bucket = behind(current)
            }
        }
        return copy
    }

    // MARK: - Cells

    private func add(_ cell: UInt64) {
        // Four and a half in a bucket of seven on the average: one in twenty lies in a bucket behind another.
        if count * 2 >= buckets * 9 { split() }
        put(cell)
        count += 1
    }

    /// Both halves of the product: every bit of the hash counts, whichever they differ in.
    @inline(__always)
    private func fragment(_ hash: UInt64) -> UInt64 {
        let product = hash.multipliedFullWidth(by: seed)
        return (product.high ^ product.low) & 0xFFFF_FFFF
    }

    @inline(__always)
    private func home(of fragment: UInt64) -> Bucket {
        let number = Int(fragment) & (round * 2 - 1)
        return memory.pointer((number < buckets ? number : number - round) * Self.width)
    }

    private func put(_ cell: UInt64) {
        var bucket = home(of: cell >> 32)
        while true {
            for place in 0..<Self.cells where bucket[place] == 0 {
                bucket[place] = cell
                return
            }
            bucket = behind(bucket) ?? addOverflow(behind: bucket)
        }
    }

    // MARK: - Buckets

    /// Splits the bucket whose turn it is in two.
    private func split() {
        let source = memory.pointer((buckets - round) * Self.width)
        memory.reserve((buckets + 1) * Self.width)
        memory.pointer(buckets * Self.width).initialize(repeating: 0, count: Self.width)
        buckets += 1
        if buckets == round * 2 { round *= 2 }
        var moving: [UInt64] = []
        moving.reserveCapacity(Self.cells)
        var bucket: Bucket? = source
        while let current = bucket {
            for place in 0..<Self.cells where current[place] != 0 { moving.append(current[place]) }
            bucket = behind(current)
        }
        while behind(source) != nil { unlink(behind: source) }
        source.update(repeating: 0, count: Self.cells)
        for cell in moving { put(cell) }
    }

    @inline(__always)
    private func behind(_ bucket: Bucket) -> Bucket? {
        bucket[Self.cells] == 0 ? nil : overflow.pointer(Int(bucket[Self.cells] - 1) * Self.width)
    }

    private func addOverflow(behind bucket: Bucket) -> Bucket {
        let number: Int
        if let free = freeOverflow.popLast() {
            number = free
        } else {
            number = overflowCount
            overflowCount += 1
            overflow.reserve(overflowCount * Self.width)
        }
        let added = overflow.pointer(number * Self.width)
        added.initialize(repeating: 0, count: Self.width)
        bucket[Self.cells] = UInt64(number + 1)
        return added
    }

    /// Takes the bucket behind another one away; what lies behind that moves up.
    private func unlink(behind bucket: Bucket) {
        guard let next = behind(bucket) else { return }
        freeOverflow.append(Int(bucket[Self.cells] - 1))
        bucket[Self.cells] = next[Self.cells]
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
