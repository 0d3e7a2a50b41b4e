// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Why nothing is ended by time for now; empty when everything goes on as usual.
    public var holdOffReasons: [HoldOffReason] { holdOff.reasons }

    /// Stops ending leases by time.
    ///
    /// Until ``resume(_:cause:)``. Issues, renewals and orders go on.
    public func pauseExpiry() {
        beginHoldOff(.requested)
    }

    /// Ends the hold-off: leases whose time is over are ended from now on.
    ///
    /// When the store was in doubt this begins a new epoch: what other copies of the table made from here on is not ours.
    ///
    /// - Parameters:
    ///   - settlement: What time it is, when the time was in dispute.
    ///   - cause: Who asks, and why.
    public func resume(
        _ settlement: ClockSettlement = .elapsed,
        cause: LeaseCause = LeaseCause(.requested)
    ) async throws {
        _ = try await openedForChange()
        switch settlement {
        case .elapsed: clock.settle(to: clock.now)
        case .wall: clock.settle(to: clock.time.read().wall)
        case .at(let instant): clock.settle(to: instant)
        }
        let hasDoubt = holdOff.reasons.contains { if case .doubt = $0 { true } else { false } }
        if hasDoubt {
            let context = ledger.context(cause)
            ledger.enter(epoch: try await ledger.ask { try await $0.beginEpoch(context) })
        }
        try? await ledger.store.record(clock.observation())
        let reasons = holdOff.clear()
        if !reasons.isEmpty { publish(LeaseEvent(.resumed, at: clock.now, cause: cause)) }
        alarm.ring()
    }

    func beginHoldOff(_ reason: HoldOffReason) {
        guard holdOff.add(reason) else { return }
        publish(LeaseEvent(.heldOff, at: clock.now, note: reason.description))
    }

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
}

/// What time it is after a dispute.
public enum ClockSettlement: Hashable, Sendable {
    /// The newest time that was observed, plus what has elapsed since.
    case elapsed
    /// What the wall clock shows.
    case wall
    /// What somebody who knows says.
    case at(LeaseInstant)
}
