// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How many leases there are, by state.
public struct LeaseCounts: Hashable, Sendable {
    private var byState: [Int]

    /// Makes counts at zero.
    public init() { byState = Array(repeating: 0, count: LeaseState.allCases.count) }

    /// How many are in a state.
    public subscript(_ state: LeaseState) -> Int {
        get { byState[Int(state.rawValue)] }
        set { byState[Int(state.rawValue)] = newValue }
    }

    /// How many there are.
    public var total: Int { byState.reduce(0, +) }

    /// Adds other counts.
    public static func += (lhs: inout LeaseCounts, rhs: LeaseCounts) {
        for state in LeaseState.allCases { lhs[state] += rhs[state] }
    }
}

/// What to count.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseCountScope: Hashable, Sendable {
    /// Every lease.
    case all
    /// A mount's.
    case mount(MountID)
    /// Those at exactly this path.
    case path(String)
    /// Those held for this owner.
    case owner(String)
    /// Those directly below this lease.
    case children(LeaseID)
}
