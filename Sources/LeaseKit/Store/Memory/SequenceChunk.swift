// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A piece of a ``SequenceList``.
///
/// What is taken out is only marked, and swept away when the marks outnumber what is left: to move up half of a chunk for
/// every lease that goes is to bring all of it into the cache.
struct SequenceChunk {
    /// No number in the chunk is lower.
    var base: UInt64
    /// The number's distance from the base above, the slot below: sorted as they are.
    private var entries: ContiguousArray<UInt64>
    /// How many entries are only marks.
    private var gone = 0

    /// The slot that marks what was taken out.
    private static let mark: UInt64 = 0xFFFF_FFFF

    init(_ sequence: UInt64, _ slot: UInt32) {
        base = sequence
        entries = [UInt64(slot)]
    }

    private init(base: UInt64, entries: ContiguousArray<UInt64>) {
        self.base = base
        self.entries = entries
    }

    /// How many entries there are, marks included.
    var count: Int { entries.count }

    /// How far a number is from the base; nil when that is too far for an entry.
    func distance(to sequence: UInt64) -> UInt64? {
        let distance = sequence - base
        return distance <= UInt32.max ? distance : nil
    }

    /// Whether everything in it comes before a distance.
    func ends(before distance: UInt64) -> Bool { entries[entries.count - 1] >> 32 < distance }

    mutating func append(_ distance: UInt64, _ slot: UInt32) { entries.append(distance << 32 | UInt64(slot)) }

    /// Adds an entry where it belongs: where the mark of its predecessor is, if one of the same number was taken out.
    mutating func insert(_ distance: UInt64, _ slot: UInt32) {
        let entry = distance << 32 | UInt64(slot)
        let index = lowerBound(entry)
        if index < entries.count && entries[index] == distance << 32 | Self.mark {
            entries[index] = entry
            gone -= 1
        } else {
            entries.insert(entry, at: index)
        }
    }

    /// Takes an entry out; answers how many are left, or nil when it was not there.
    mutating func remove(_ distance: UInt64, _ slot: UInt32) -> Int? {
        let entry = distance << 32 | UInt64(slot)
        let index = lowerBound(entry)
        guard index < entries.count, entries[index] == entry else { return nil }
        if index == entries.count - 1 {
            entries.removeLast()
            while let last = entries.last, last & Self.mark == Self.mark {
                entries.removeLast()
                gone -= 1
            }
        } else {
            entries[index] |= Self.mark
            gone += 1
            // The first entries of a list that only grows and shrinks, at its two ends, are looked at again and again.
            if gone * 2 > entries.count && gone > 8 { sweep() }
        }
        return entries.count - gone
    }

    /// Takes the marks out; false when there are none.
    @discardableResult
    mutating func sweep() -> Bool {
        if gone == 0 { return false }
        entries.removeAll { $0 & Self.mark == Self.mark }
        gone = 0
        return true
    }

    /// Gives the upper half away.
    ///
    /// There are no marks.
    mutating func split() -> SequenceChunk {
        let half = entries.count / 2
        let offset = entries[half] >> 32
        let upper = ContiguousArray(entries[half...].map { $0 - offset << 32 })
        entries.removeLast(upper.count)
        return SequenceChunk(base: base + offset, entries: upper)
    }

    /// Takes everything of the next chunk in, unless that lies too far away.
    mutating func take(_ next: SequenceChunk) -> Bool {
        let shift = next.base - base
        guard let last = next.entries.last, shift + last >> 32 <= UInt32.max else { return false }
        for entry in next.entries { entries.append(entry + shift << 32) }
        gone += next.gone
        return true
    }

    /// Lowers the base, unless the entries are too far away from it then.
    mutating func rebase(to base: UInt64) -> Bool {
        let shift = self.base - base
        guard let last = entries.last, shift + last >> 32 <= UInt32.max else { return false }
        self.base = base
        for index in entries.indices { entries[index] += shift << 32 }
        return true
    }

    func forEach(after sequence: UInt64, _ body: (UInt64, UInt32) -> Bool) -> Bool {
        for entry in entries where entry & Self.mark != Self.mark {
            let number = base + entry >> 32
            if number > sequence && !body(number, UInt32(truncatingIfNeeded: entry)) { return false }
        }
        return true
    }

    /// The first entry that is not below another.
    ///
    /// Numbers are spread evenly as a rule: it is looked for first where it would lie then, so that a search does not wander
    /// all over the chunk.
    private func lowerBound(_ entry: UInt64) -> Int {
        entries.withUnsafeBufferPointer { entries in
            var (low, high) = (0, entries.count)
            if high > Self.reach * 4 {
                let span = entries[high - 1] >> 32 + 1
                let guess = Int((entry >> 32) * UInt64(high) / span)
                let (first, last) = (max(0, guess - Self.reach), min(high - 1, guess + Self.reach))
                if first <= last, entries[first] <= entry, entry <= entries[last] { (low, high) = (first, last) }
            }
            while low < high {
                let middle = (low + high) / 2
                if entries[middle] < entry { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// How far from where it would lie an entry is looked for first.
    private static let reach = 8
}
