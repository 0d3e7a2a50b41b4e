// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Describes one issue or renewal for a ``TTLPolicy`` to decide on.
public struct TTLRequest: Sendable, Hashable {
    /// The time of the decision.
    public var now: LeaseInstant
    /// When the lease was issued; `nil` when it is being issued now.
    public var issuedAt: LeaseInstant?
    /// How long the lease is to run from now on; `nil` takes the default.
    ///
    /// A periodic lease ignores it.
    public var increment: Duration?
    /// A maximum of this one lease, which can only lower those of the layers.
    ///
    /// It is also the only age limit that a periodic lease has, and as such it counts as it is: not lowered to the
    /// maximum of the layers.
    public var explicitMaximum: Duration?
    /// A period of this one lease, which takes the place of the period of the layers.
    public var period: Duration?
    /// When the parent that binds the lease ends; `nil` without such a parent.
    public var parentEnd: LeaseInstant?

    /// Makes a request; all that is left out is neither asked for nor limited.
    public init(
        now: LeaseInstant,
        issuedAt: LeaseInstant? = nil,
        increment: Duration? = nil,
        explicitMaximum: Duration? = nil,
        period: Duration? = nil,
        parentEnd: LeaseInstant? = nil
    ) {
        self.now = now
        self.issuedAt = issuedAt
        self.increment = increment
        self.explicitMaximum = explicitMaximum
        self.period = period
        self.parentEnd = parentEnd
    }
}
