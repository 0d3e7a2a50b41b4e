// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Why nothing is ended by time for now.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum HoldOffReason: Hashable, Sendable, CustomStringConvertible {
    /// The store may be a copy of a table that went on elsewhere.
    case doubt(StoreDoubt)
    /// The time is in doubt.
    case clock(ClockDispute)
    /// An operator asked for it.
    case requested

    /// The reason in words.
    public var description: String {
        switch self {
        case .doubt(let doubt): doubt.description
        case .clock(let dispute): dispute.description
        case .requested: "an operator asked for it"
        }
    }
}

/// Keeps the manager from ending anything by time while there is a reason to.
final class HoldOff: Sendable {
    private let state = Locked<[HoldOffReason]>([])

    var reasons: [HoldOffReason] { state.withLock { $0 } }
    var isActive: Bool { state.withLock { !$0.isEmpty } }

    /// Adds a reason; true when it is new.
    func add(_ reason: HoldOffReason) -> Bool {
        state.withLock { reasons in
            if reasons.contains(reason) { return false }
            reasons.append(reason)
            return true
        }
    }

    /// Drops every reason; answers what they were.
    func clear() -> [HoldOffReason] {
        state.withLock { reasons in
            defer { reasons = [] }
            return reasons
        }
    }
}
