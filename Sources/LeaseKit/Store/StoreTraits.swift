// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a store is and is not.
public struct StoreTraits: Hashable, Sendable {
    /// Whether leases survive the process.
    ///
    /// A volatile store has everything revoked on the way out and is never the ground for a sweep.
    public var isDurable: Bool
    /// Whether one manager owns it, so that a later opening makes earlier incarnations void.
    public var isExclusive: Bool
    /// Whether replies carry the time of a clock of its own, which then is the authority.
    public var hasClock: Bool
    /// Whether quotas are exact when several managers insert at once, or may be passed by a few.
    public var hasExactQuotas: Bool
    /// Whether calls never wait, so that they cost a caller no suspension.
    public var isImmediate: Bool

    /// Makes traits.
    public init(
        isDurable: Bool,
        isExclusive: Bool = true,
        hasClock: Bool = false,
        hasExactQuotas: Bool = true,
        isImmediate: Bool = false
    ) {
        self.isDurable = isDurable
        self.isExclusive = isExclusive
        self.hasClock = hasClock
        self.hasExactQuotas = hasExactQuotas
        self.isImmediate = isImmediate
    }
}
