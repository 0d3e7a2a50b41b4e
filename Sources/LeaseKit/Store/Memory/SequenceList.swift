// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Slots in the order of a growing number, in chunks: adding at the end is quick, anywhere else and taking out touch one
/// chunk, and a place is found again whatever came and went.
///
/// No chunk is empty but the only one of an empty list: many lists hold one slot for a moment, again and again.
struct SequenceList {
    private struct Chunk {
        /// No number in the chunk is lower.
        var base: UInt64
        /// The number's distance from the base above, the slot below: sorted as they are.
        var entries: ContiguousArray<UInt64>
    }

    private static let capacity = 256
    private var chunks: ContiguousArray<Chunk> = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func insert(_ sequence: UInt64, _ slot: UInt32) {
        count += 1
        if count == 1 && !chunks.isEmpty {
            chunks[0].base = sequence
            chunks[0].entries.append(UInt64(slot))
            return
        }
        let place = chunk(of: sequence)
        guard place >= 0, let entry = entry(sequence, slot, in: place) else {
            if place < 0 && rebaseFirst(to: sequence) {
                chunks[0].entries.insert(UInt64(slot), at: 0)
            } else {
                chunks.insert(Chunk(base: sequence, entries: [UInt64(slot)]), at: place + 1)
            }
            return
        }
        let full = chunks[place].entries.count
        if chunks[place].entries[full - 1] < entry {
            if full < Self.capacity {
                chunks[place].entries.append(entry)
            } else {
                chunks.insert(Chunk(base: sequence, entries: [UInt64(slot)]), at: place + 1)
            }
            return
        }
        if full >= Self.capacity {
            split(place)
            count -= 1
            insert(sequence, slot)
            return
        }
        chunks[place].entries.insert(entry, at: lowerBound(entry, in: place))
    }

    mutating func remove(_ sequence: UInt64, _ slot: UInt32) {
        let place = chunk(of: sequence)
        guard place >= 0, let entry = entry(sequence, slot, in: place) else { return }
        let index = lowerBound(entry, in: place)
        guard index < chunks[place].entries.count, chunks[place].entries[index] == entry else { return }
        count -= 1
        if index == chunks[place].entries.count - 1 {
            chunks[place].entries.removeLast()
        } else {
            chunks[place].entries.remove(at: index)
        }
        if chunks[place].entries.isEmpty {
            if count > 0 { chunks.remove(at: place) }
        } else if chunks[place].entries.count < Self.capacity / 8 {
            mergeWithNext(place)
        }
    }

    /// The slot with the lowest number.
    var first: UInt32? { chunks.first?.entries.first.map { UInt32(truncatingIfNeeded: $0) } }

    /// Hands over number and slot of what comes behind a number, until `body` returns false; true when it never did.
    @discardableResult
    func forEach(after sequence: UInt64, _ body: (UInt64, UInt32) -> Bool) -> Bool {
        var place = max(0, chunk(of: sequence))
        while place < chunks.count {
            let base = chunks[place].base
            for entry in chunks[place].entries {
                let number = base + entry >> 32
                if number > sequence && !body(number, UInt32(truncatingIfNeeded: entry)) { return false }
            }
            place += 1
        }
        return true
    }

    /// The last chunk whose base is not above a number; -1 when there is none.
    private func chunk(of sequence: UInt64) -> Int {
        let last = chunks.count - 1
        if last < 0 || chunks[last].base <= sequence { return last }
        var (low, high) = (0, last)
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].base <= sequence { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    /// The entry as that chunk would hold it; nil when the number is too far from the base.
    private func entry(_ sequence: UInt64, _ slot: UInt32, in place: Int) -> UInt64? {
        let distance = sequence - chunks[place].base
        return distance <= UInt32.max ? distance << 32 | UInt64(slot) : nil
    }

    private func lowerBound(_ entry: UInt64, in place: Int) -> Int {
        var (low, high) = (0, chunks[place].entries.count)
        while low < high {
            let middle = (low + high) / 2
            if chunks[place].entries[middle] < entry { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func split(_ place: Int) {
        let half = chunks[place].entries.count / 2
        let offset = chunks[place].entries[half] >> 32
        let upper = chunks[place].entries[half...].map { $0 - offset << 32 }
        chunks[place].entries.removeLast(upper.count)
        chunks.insert(Chunk(base: chunks[place].base + offset, entries: ContiguousArray(upper)), at: place + 1)
    }

    private mutating func rebaseFirst(to base: UInt64) -> Bool {
        guard let first = chunks.first, first.entries.count < Self.capacity else { return false }
        let shift = first.base - base
        guard let last = first.entries.last, shift + last >> 32 <= UInt32.max else { return false }
        chunks[0].base = base
        for index in chunks[0].entries.indices { chunks[0].entries[index] += shift << 32 }
        return true
    }

    private mutating func mergeWithNext(_ place: Int) {
        guard place + 1 < chunks.count, chunks[place + 1].entries.count <= Self.capacity / 2 else { return }
        let shift = chunks[place + 1].base - chunks[place].base
        guard let last = chunks[place + 1].entries.last, shift + last >> 32 <= UInt32.max else { return }
        let moved = chunks.remove(at: place + 1)
        for entry in moved.entries { chunks[place].entries.append(entry + shift << 32) }
    }
}
