// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Slots in the order of a growing number, in chunks: adding at the end is quick, anywhere else and taking out touch one
/// chunk, and a place is found again whatever came and went.
///
/// No chunk is empty but the only one of an empty list: many lists hold one slot for a moment, again and again.
struct SequenceList {
    private static let capacity = 256
    private var chunks: ContiguousArray<SequenceChunk> = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func insert(_ sequence: UInt64, _ slot: UInt32) {
        count += 1
        if count == 1 && !chunks.isEmpty {
            chunks[0].base = sequence
            chunks[0].append(0, slot)
            return
        }
        let place = chunk(of: sequence)
        guard place >= 0, let distance = chunks[place].distance(to: sequence) else {
            if place < 0 && !chunks.isEmpty && chunks[0].count < Self.capacity && chunks[0].rebase(to: sequence) {
                chunks[0].insert(0, slot)
            } else {
                chunks.insert(SequenceChunk(sequence, slot), at: place + 1)
            }
            return
        }
        if chunks[place].ends(before: distance) {
            if chunks[place].count < Self.capacity {
                chunks[place].append(distance, slot)
            } else {
                chunks.insert(SequenceChunk(sequence, slot), at: place + 1)
            }
            return
        }
        if chunks[place].count >= Self.capacity && !chunks[place].sweep() {
            chunks.insert(chunks[place].split(), at: place + 1)
            count -= 1
            insert(sequence, slot)
            return
        }
        chunks[place].insert(distance, slot)
    }

    mutating func remove(_ sequence: UInt64, _ slot: UInt32) {
        let place = chunk(of: sequence)
        guard place >= 0, let distance = chunks[place].distance(to: sequence),
            let left = chunks[place].remove(distance, slot)
        else { return }
        count -= 1
        if left == 0 {
            if count > 0 { chunks.remove(at: place) }
        } else if left < Self.capacity / 8, place + 1 < chunks.count,
            chunks[place].count + chunks[place + 1].count <= Self.capacity * 3 / 4,
            chunks[place].take(chunks[place + 1])
        {
            chunks.remove(at: place + 1)
        }
    }

    /// Hands over number and slot of what comes behind a number, until `body` returns false; true when it never did.
    @discardableResult
    func forEach(after sequence: UInt64, _ body: (UInt64, UInt32) -> Bool) -> Bool {
        var place = max(0, chunk(of: sequence))
        while place < chunks.count {
            guard chunks[place].forEach(after: sequence, body) else { return false }
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
}
