// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Tells what a ``TTLPolicy`` grants, and why not more.
public struct TTLDecision: Sendable, Hashable {
    /// The time granted, counted from now.
    public let ttl: Duration
    /// When the lease ends.
    ///
    /// Never later than ``maximumAt``. This is `ttl` from now, except that ``TTLRuleSet/vault`` reckons `ttl` from the
    /// start of the running second: where the maximum binds, the end comes up to a second before `ttl` has passed, and
    /// may have come already if the maximum has parts of a second.
    public let expiresAt: LeaseInstant
    /// What determined `ttl`.
    public let boundBy: TTLBound
    /// What was cut down, for the one who asked; at most one of each kind, the period's first.
    public let warnings: [TTLWarning]
    /// The time from now to ``maximumAt``, before anything is granted; `nil` without an age limit.
    public let leftToMaximum: Duration?
    /// When the lease is as old as it may become; `nil` for a periodic lease without a maximum of its own.
    ///
    /// The end of a parent does not show here: a parent may be renewed.
    public let maximumAt: LeaseInstant?

    /// Makes a decision, for a source that has it from elsewhere, such as a broker's answer.
    public init(
        ttl: Duration,
        expiresAt: LeaseInstant,
        boundBy: TTLBound,
        warnings: [TTLWarning] = [],
        leftToMaximum: Duration? = nil,
        maximumAt: LeaseInstant? = nil
    ) {
        self.ttl = ttl
        self.expiresAt = expiresAt
        self.boundBy = boundBy
        self.warnings = warnings
        self.leftToMaximum = leftToMaximum
        self.maximumAt = maximumAt
    }

    /// Whether less was granted than was asked for, or than the default or period would have given.
    public var isCapped: Bool {
        !warnings.isEmpty || boundBy == .parent
    }
}
