// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Why nothing is ended by time for now; empty when everything goes on as usual.
    public var holdOffReasons: [HoldOffReason] { holdOff.reasons }

    /// Stops ending leases by time.
    ///
    /// Until ``resume(_:cause:)``. Issues, renewals and orders go on.
    ///
    /// It holds for this manager, until it stops, and is written down nowhere: a pause that outlived whoever asked for it would let
    /// credentials live on behind everybody's back. To start with a pause, call this before ``run()``.
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
}

/// What time it is after a dispute.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ClockSettlement: Hashable, Sendable {
    /// The newest time that was observed, plus what has elapsed since.
    case elapsed
    /// What the wall clock shows.
    case wall
    /// What somebody who knows says.
    case at(LeaseInstant)
}
