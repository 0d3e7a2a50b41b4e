// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Holds what one layer (the system, a mount or a role) says about how long leases run.
///
/// What a layer leaves out it takes from the layer around it. In the rule set ``TTLRuleSet/exact`` every value that is
/// set must be greater than zero. In ``TTLRuleSet/vault`` zero means *not set* and so does a negative value of a role;
/// a negative value of a mount counts, since only zero inherits there.
public struct TTLLimits: Sendable, Hashable {
    /// How long a lease runs when nobody asks for a particular time.
    public var ttl: Duration?
    /// How old a lease may become, counted from its issue.
    public var maximum: Duration?
    /// Makes leases periodic: each renewal grants this time, for as long as somebody renews.
    public var period: Duration?

    /// Makes the limits of one layer; what is left out is inherited.
    public init(ttl: Duration? = nil, maximum: Duration? = nil, period: Duration? = nil) {
        self.ttl = ttl
        self.maximum = maximum
        self.period = period
    }

    /// The limits of a system that sets none of its own: 32 days by default and 32 days at most.
    public static let systemDefault = TTLLimits(ttl: .seconds(2_764_800), maximum: .seconds(2_764_800))
}
