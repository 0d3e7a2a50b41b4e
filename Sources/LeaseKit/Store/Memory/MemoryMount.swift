// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the in-memory store keeps of one mount.
final class MemoryMount {
    let id: MountID
    /// Nil for a mount that leases name but nobody registered.
    var registration: MountRegistration?
    /// By the bytes of their keys: other spellings of the same characters are other keys.
    var states: [[UInt8]: MountState] = [:]
    @exclusivity(unchecked) var counts = StateCounts()
    /// How many paths outside the mount's own have leases of it; while zero, a walk need not look elsewhere.
    @exclusivity(unchecked) var strayPaths = 0

    private let ordered: DueHeap
    private let pending: DueHeap
    private let timed: DueHeap

    init(id: MountID, places: HeapPlaces) {
        self.id = id
        ordered = DueHeap(tag: 0, places: places)
        pending = DueHeap(tag: 1, places: places)
        timed = DueHeap(tag: 2, places: places)
    }

    /// Where a row belongs; nil for one that is never due.
    ///
    /// Pending rows have a heap of their own: they come and go by the second, which in a small heap costs little.
    func heap(for record: borrowing LeaseRecord) -> DueHeap? {
        if record.due == .distantFuture { return nil }
        if record.urgency == .ordered { return ordered }
        return record.state == .pending ? pending : timed
    }

    func heap(tag: UInt32) -> DueHeap {
        switch tag {
        case 0: ordered
        case 1: pending
        default: timed
        }
    }

    /// What is due next, whenever that is.
    func next(_ scope: ClaimScope) -> DueHeap.Entry? {
        let byOrder = ordered.first
        guard scope == .everything else { return byOrder }
        return [byOrder, pending.first, timed.first].compactMap { $0 }.min { $0.due < $1.due }
    }

    /// What to hand out next: ordered ones before all others.
    func nextToHandOut(_ scope: ClaimScope, at now: LeaseInstant) -> UInt32? {
        if let first = ordered.first, first.due <= now { return first.slot }
        guard scope == .everything else { return nil }
        let candidates = (pending.first, timed.first)
        let first: DueHeap.Entry?
        if let early = candidates.0, let late = candidates.1 {
            first = early.due <= late.due ? early : late
        } else {
            first = candidates.0 ?? candidates.1
        }
        return first.flatMap { $0.due <= now ? $0.slot : nil }
    }
}
