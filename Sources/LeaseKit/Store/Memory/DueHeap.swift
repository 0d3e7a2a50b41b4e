// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is due next: a heap with four branches, whose places are noted so that any row can move or leave.
final class DueHeap {
    struct Entry {
        var due: LeaseInstant
        var slot: UInt32
    }

    /// Which of a mount's heaps this is.
    let tag: UInt32
    /// So shifted that the four branches of an entry begin where a line of the cache begins.
    private let entries = Slabs<Entry>()
    private static let shift = 3
    private let places: HeapPlaces
    @exclusivity(unchecked) private(set) var count = 0

    init(tag: UInt32, places: HeapPlaces) {
        self.tag = tag
        self.places = places
    }

    var first: Entry? { count == 0 ? nil : pointer(at: 0).pointee }

    func insert(_ due: LeaseInstant, _ slot: UInt32) {
        count += 1
        entries.reserve(count + Self.shift)
        siftUp(Entry(due: due, slot: slot), from: count - 1)
    }

    func move(at place: Int, to due: LeaseInstant) {
        let entry = pointer(at: place).pointee
        let moved = Entry(due: due, slot: entry.slot)
        if due < entry.due { siftUp(moved, from: place) } else { siftDown(moved, from: place) }
    }

    func remove(at place: Int) {
        let gone = pointer(at: place).pointee
        places.clear(gone.slot)
        count -= 1
        if place == count { return }
        let last = pointer(at: count).pointee
        if Self.precedes(last, gone) { siftUp(last, from: place) } else { siftDown(last, from: place) }
    }

    private func siftUp(_ entry: Entry, from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 4
            let above = pointer(at: parent).pointee
            guard Self.precedes(entry, above) else { break }
            put(above, at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private func siftDown(_ entry: Entry, from start: Int) {
        var place = start
        while true {
            let firstChild = place * 4 + 1
            guard firstChild < count else { break }
            var best = firstChild
            var least = pointer(at: firstChild).pointee
            for child in firstChild + 1..<max(firstChild + 1, min(firstChild + 4, count)) {
                let other = pointer(at: child).pointee
                if Self.precedes(other, least) { (best, least) = (child, other) }
            }
            guard Self.precedes(least, entry) else { break }
            put(least, at: place)
            place = best
        }
        put(entry, at: place)
    }

    @inline(__always)
    private func pointer(at place: Int) -> UnsafeMutablePointer<Entry> { entries.pointer(place + Self.shift) }

    @inline(__always)
    private func put(_ entry: Entry, at place: Int) {
        pointer(at: place).initialize(to: entry)
        places.set(entry.slot, tag: tag, place: place)
    }

    @inline(__always)
    private static func precedes(_ lhs: Entry, _ rhs: Entry) -> Bool {
        lhs.due < rhs.due || lhs.due == rhs.due && lhs.slot < rhs.slot
    }
}

/// In which heap each row is, and where.
final class HeapPlaces {
    private let slabs = Slabs<UInt32>()
    private static let nowhere = UInt32.max

    func add(_ slot: UInt32) {
        slabs.reserve(Int(slot) + 1)
        slabs.pointer(Int(slot)).initialize(to: Self.nowhere)
    }

    @inline(__always)
    func set(_ slot: UInt32, tag: UInt32, place: Int) {
        slabs.pointer(Int(slot)).pointee = tag << 30 | UInt32(place)
    }

    func clear(_ slot: UInt32) { slabs.pointer(Int(slot)).pointee = Self.nowhere }

    /// The heap's tag and the place in it; nil when the row is in none.
    func place(of slot: UInt32) -> (tag: UInt32, place: Int)? {
        let packed = slabs.pointer(Int(slot)).pointee
        return packed == Self.nowhere ? nil : (packed >> 30, Int(packed & (1 << 30 - 1)))
    }
}
