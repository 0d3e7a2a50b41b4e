// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The sleepers of one process, the earliest first: a binary heap with a table beside it.
///
/// A cancelled sleeper leaves the table at once and the heap when it comes to the top, or when dead entries outnumber
/// the living.
struct SleeperQueue: Sendable {
    typealias Continuation = CheckedContinuation<Void, any Error>

    struct Key: Comparable, Sendable {
        let deadline: Duration
        let sequence: UInt64

        static func < (lhs: Key, rhs: Key) -> Bool {
            lhs.deadline != rhs.deadline ? lhs.deadline < rhs.deadline : lhs.sequence < rhs.sequence
        }
    }

    private var heap: [Key] = []
    private var sleepers: [UInt64: Continuation] = [:]

    var count: Int { sleepers.count }

    /// When the earliest sleeper is due.
    var first: Key? { heap.first }

    /// The deadlines of all sleepers, the earliest first.
    var deadlines: [Duration] { heap.filter { sleepers[$0.sequence] != nil }.sorted().map(\.deadline) }

    func contains(deadline: Duration) -> Bool {
        heap.contains { $0.deadline == deadline && sleepers[$0.sequence] != nil }
    }

    mutating func insert(_ continuation: Continuation, at deadline: Duration, sequence: UInt64) {
        sleepers[sequence] = continuation
        heap.append(Key(deadline: deadline, sequence: sequence))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func remove(_ sequence: UInt64) -> Continuation? {
        guard let continuation = sleepers.removeValue(forKey: sequence) else { return nil }
        if heap.count > 2 * sleepers.count + 64 {
            // A sorted array is a heap.
            heap = heap.filter { sleepers[$0.sequence] != nil }.sorted()
        } else {
            dropDead()
        }
        return continuation
    }

    mutating func removeAll() -> [Continuation] {
        let all = heap.sorted().compactMap { sleepers[$0.sequence] }
        heap = []
        sleepers = [:]
        return all
    }

    /// Takes out everyone who is due at `now`, in order.
    mutating func takeDue(at now: Duration) -> [(key: Key, continuation: Continuation)] {
        var due: [(Key, Continuation)] = []
        while let top = heap.first, top.deadline <= now {
            popTop()
            if let continuation = sleepers.removeValue(forKey: top.sequence) { due.append((top, continuation)) }
        }
        dropDead()
        return due
    }

    /// Keeps the invariant that the top of the heap is alive.
    private mutating func dropDead() {
        while let top = heap.first, sleepers[top.sequence] == nil { popTop() }
    }

    private mutating func popTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
