// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where a lease stands on its way.
///
/// ```
/// pending ──▶ active ──▶ revoking ──▶ (removed)
///    │                    │  ▲  └───▶ ending ──▶ (removed)
///    ▼                    ▼  │
/// settling ──▶ (removed)  stuck          any ──▶ quarantined
/// ```
///
/// "Active" in every promise of LeaseKit means more than this state: active, no open order covers it, and its time is
/// not over.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseState: UInt8, Hashable, Sendable, CaseIterable {
    /// Written down before the backend is called. Exits: active, settling.
    case pending = 0
    /// Handed out and running. Exits: revoking.
    case active = 1
    /// Given up before it was ever handed out: looked at until nothing can be in flight. Exits: removed.
    case settling = 2
    /// Being ended at the target. Exits: removed, ending, stuck.
    case revoking = 3
    /// Being ended, and failing in a way that needs a person; retried slowly, listed. Exits: revoking.
    case stuck = 4
    /// Cannot be ended early and ends by itself at a known time. Exits: removed.
    case ending = 5
    /// Undecodable or unreadable: set aside, reported, never dropped. Exits: revoking, when re-armed.
    case quarantined = 6

    /// Whether an order has not reached the lease yet: pending or active.
    public var isStanding: Bool { self == .pending || self == .active }
}
