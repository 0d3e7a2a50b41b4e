// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    func open(at reading: TimeReading) -> StoreOpening {
        putInOrder()
        let incarnation = life.open()
        if life.isExclusive { void(at: reading.time(after: life.observed)) }
        return StoreOpening(
            deployment: life.deployment,
            incarnation: Incarnation(rawValue: incarnation),
            epoch: life.epoch,
            livedEpochs: life.livedEpochs,
            observed: life.observed,
            doubts: life.doubts
        )
    }

    func close(_ incarnation: Incarnation) { life.close(incarnation.rawValue) }

    func beginEpoch(_ context: StoreContext) -> UInt64 {
        // Not a count: two copies of a table that each begin a new epoch must not begin the same one.
        life.epoch = context.operation
        life.livedEpochs.insert(life.epoch)
        life.doubts = []
        return life.epoch
    }

    /// Frees what earlier incarnations had in their hands.
    private func void(at now: LeaseInstant) {
        var slots: [UInt32] = []
        let collect: (UInt64, UInt32) -> Bool = { _, slot in
            slots.append(slot)
            return true
        }
        unusual[Int(LeaseState.pending.rawValue)].forEach(after: 0, collect)
        claimed.forEach(after: 0, collect)
        for slot in slots {
            let row = rows.pointer(slot)
            let before = Before(row)
            row.pointee.record.void(at: now)
            reindex(slot, before)
        }
    }

    /// A table of its own with the same leases, orders and mounts.
    func copy(doubts: [StoreDoubt]) -> MemoryTable {
        putInOrder()
        let copy = MemoryTable(life: life.copy(doubts: doubts))
        for (id, mount) in mounts {
            let twin = copy.mount(id)
            twin.registration = mount.registration
            twin.states = mount.states
        }
        _ = walk("", nil, from: ("", 0)) { _, _, slot in
            if let slot { _ = copy.link(rows.pointer(slot).pointee.record) }
            return true
        }
        copy.tree = tree
        copy.orders = orders.copy()
        copy.lastSequence = lastSequence
        copy.lastClaim = lastClaim
        return copy
    }
}
