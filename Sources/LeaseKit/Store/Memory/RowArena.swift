// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One lease as the in-memory store holds it.
struct MemoryRow {
    var record: LeaseRecord
    /// Its path's entry.
    var path: UInt32
    /// Its owner's entry, or ``none``.
    var owner: UInt32
    /// Its role version's entry, or ``none``.
    var role: UInt32
    /// Fills the third line of the cache up: a row begins where a line begins, and no other row is brought in with it.
    private var filler: (UInt64, UInt64) = (0, 0)

    init(record: consuming LeaseRecord, path: UInt32, owner: UInt32, role: UInt32) {
        self.record = record
        self.path = path
        self.owner = owner
        self.role = role
    }

    /// The number that stands for no entry.
    static let none = UInt32.max
}

/// The rows, each at a number that stays while it lives and is used again afterwards.
final class RowArena {
    private let slabs = Slabs<MemoryRow>()
    @exclusivity(unchecked) private var free: ContiguousArray<UInt32> = []
    @exclusivity(unchecked) private var used = 0

    /// How many rows there are.
    var count: Int { used - free.count }

    deinit {
        // Every slot below `used` that is not free holds a row.
        var isFree = [Bool](repeating: false, count: used)
        for slot in free { isFree[Int(slot)] = true }
        for slot in 0..<used where !isFree[slot] { slabs.pointer(slot).deinitialize(count: 1) }
    }

    func add(_ row: consuming MemoryRow) -> UInt32 {
        let slot: Int
        if let last = free.popLast() {
            slot = Int(last)
        } else {
            slot = used
            used += 1
            slabs.reserve(used)
        }
        slabs.pointer(slot).initialize(to: row)
        return UInt32(slot)
    }

    func drop(_ slot: UInt32) {
        slabs.pointer(Int(slot)).deinitialize(count: 1)
        free.append(slot)
    }

    @inline(__always)
    func pointer(_ slot: UInt32) -> UnsafeMutablePointer<MemoryRow> { slabs.pointer(Int(slot)) }
}
