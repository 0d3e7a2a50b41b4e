// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The children of one node, in the order of their insertion.
///
/// Sorted by ordinal, so that a place is found again by binary search after whatever left meanwhile. A child that leaves
/// is only marked; the marks are swept when they outnumber what is left, so that leaving costs constant time on average.
struct Children: Sendable {
    struct Entry: Sendable {
        var ordinal: UInt64
        var node: UInt32
    }

    private var entries: [Entry] = []
    private var gone: UInt32 = 0

    var count: Int { entries.count - Int(gone) }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    mutating func remove(_ ordinal: UInt64) {
        let place = firstIndex(after: ordinal - 1)
        guard place < entries.count, entries[place].ordinal == ordinal, entries[place].node != NodeArena.none else {
            return
        }
        entries[place].node = NodeArena.none
        gone += 1
        while entries.last?.node == NodeArena.none {
            entries.removeLast()
            gone -= 1
        }
        if entries.isEmpty {
            entries = []
        } else if Int(gone) > count + 8 {
            entries = entries.filter { $0.node != NodeArena.none }
            gone = 0
        }
    }

    func first(after ordinal: UInt64) -> Entry? {
        var found: Entry?
        forEach(after: ordinal) { entry in
            found = entry
            return false
        }
        return found
    }

    /// Hands over the entries behind an ordinal until `body` returns false.
    func forEach(after ordinal: UInt64, _ body: (Entry) -> Bool) {
        var place = firstIndex(after: ordinal)
        while place < entries.count {
            let entry = entries[place]
            if entry.node != NodeArena.none && !body(entry) { return }
            place += 1
        }
    }

    private func firstIndex(after ordinal: UInt64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].ordinal <= ordinal { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
