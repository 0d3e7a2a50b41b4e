// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the background work looks at every few seconds.
extension LeaseManager {
    /// Compares the clocks, writes the time down, and looks for what other managers on the same store placed or adopted.
    func observe() async {
        switch clock.watch() {
        case .disputed(let dispute):
            // A store with a clock of its own says what time it is, whatever the wall clock here shows.
            if !ledger.store.traits.hasClock { beginHoldOff(.clock(dispute)) }
        case .suspended(let length):
            publish(
                LeaseEvent(.suspended, at: clock.now, note: "the machine slept for \(LeaseDuration.text(of: length))")
            )
        case nil: break
        }
        do {
            try await ledger.store.record(clock.observation())
            let open = try await ledger.ask { try await $0.openOrders(limit: 100) }
            for order in open { orders.follow(order) }
            try await resolveLostAnswers()
            // Whatever was completed without being told: its answer was lost, or could not be read.
            await reportFinished(orders.followed)
            if !ledger.store.traits.isExclusive { follow(try await ledger.ask { try await $0.mounts() }) }
        } catch {
            publish(LeaseEvent(.storeTrouble, at: clock.now, note: LeaseError(store: error).description))
        }
    }

    /// Names the leases of mounts that are not served here: they are neither claimed nor failed.
    ///
    /// Asked one observation after the start, when an application has had the time to mount its backends.
    func reportUnserved() async {
        guard let registrations = try? await ledger.ask({ try await $0.mounts() }) else { return }
        for registration in registrations where mounts[registration.id] == nil {
            let counts = try? await ledger.ask { try await $0.counts(.mount(registration.id)) }
            guard let total = counts?.total, total > 0 else { continue }
            let note = "\(total) leases wait until a backend of kind \(registration.kind) is mounted here"
            publish(LeaseEvent(.unserved, at: clock.now, path: registration.path, note: note))
        }
    }
}
