// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Decides how long a lease may run: at its issue, and again at each renewal.
///
/// A policy is a plain value. It reads no clock and keeps nothing between decisions, so the limits that count are
/// always those of the moment: a lowered maximum binds at the next renewal and cuts no lease that is running.
///
/// ```
///  issued                     now                                   maximum     (role, mount, system, explicit)
///    |------- age --------------|------------- left to maximum --------|
///    |                          |
///    |                          |== asked for ==|                               boundBy request, nothing capped
///    |                          |== default =======|                            boundBy role, mount or system
///    |                          |== asked for =========================|xxxxxx  boundBy the layer of the maximum
///    |                          |== asked for ====|xxxxxxxxxxxx                 boundBy parent
///    |                          |                 |
///    |                          |            parent's end
///
///  periodic                   now
///    |------- any age ----------|== period ==|                                  boundBy period, again and again,
///    |                          |            |                                  up to an explicit maximum, if any
/// ```
///
/// **Maximum.** The mount's maximum takes the place of the system's, also where it is longer. The role's maximum and
/// that of the request can only lower it. Of equal ones the outer one is named as the bound.
///
/// **Time.** What is asked for comes before the default of the role, then of the mount, then of the system. It may be
/// longer or shorter than the default, and it counts from now: a renewal may well shorten a lease.
///
/// **Periodic leases.** A period, of the request or else of the role, mount or system, takes the place of both what is
/// asked for and the default. It is held to the maximum, but as a length: how old the lease is does not matter, unless
/// the request sets an explicit maximum.
///
/// **Parent.** Whatever comes out is cut to the end of the parent that binds.
public struct TTLPolicy: Sendable, Hashable {
    /// The arithmetic to decide by.
    public var rules: TTLRuleSet
    /// The limits of the whole system.
    public var system: TTLLimits
    /// The limits of the mount, which take the place of the system's.
    public var mount: TTLLimits
    /// The limits of the role as it is now.
    public var role: TTLLimits

    /// Makes a policy from the limits of the three layers.
    public init(
        rules: TTLRuleSet = .exact,
        system: TTLLimits = .systemDefault,
        mount: TTLLimits = TTLLimits(),
        role: TTLLimits = TTLLimits()
    ) {
        self.rules = rules
        self.system = system
        self.mount = mount
        self.role = role
    }

    /// Decides on one issue or renewal.
    ///
    /// A limit that is longer than the one around it is no error here, it merely has no effect: limits are lowered
    /// while leases run, and their renewals must not fail for it. Let ``validate()`` find it when limits are set.
    ///
    /// - Parameter request: What is asked for, and when.
    /// - Returns: The time granted, what bound it, and what is left.
    /// - Throws: ``TTLError`` when nothing can be granted.
    public func decide(_ request: TTLRequest) throws(TTLError) -> TTLDecision {
        if rules == .exact { try checkValues(of: request) }
        let now = reading(request.now)
        let start = startOfAge(request, now: now)
        let ceiling = try ceiling(for: request)

        var warnings: [TTLWarning] = []
        var grant: Length
        let ageLimit: Length?
        if let period = period(for: request) {
            grant = period
            if grant.duration > ceiling.duration {
                let (wanted, allowed) = (grant.duration, ceiling.duration)
                warnings.append(TTLWarning(code: .periodCapped, wanted: wanted, allowed: allowed))
                grant = ceiling
            }
            // The explicit maximum as it was given: the ceiling may be lower, but ends no periodic lease.
            ageLimit = set(request.explicitMaximum).map { Length($0, .explicitMaximum) }
        } else {
            grant = try wanted(for: request)
            ageLimit = ceiling
        }

        var left: Duration?
        if let ageLimit {
            let age = start.duration(to: now)
            let remaining = ageLimit.duration - age
            if !remaining.isPositive { throw .pastMaximum(age: age, maximum: ageLimit.duration, of: ageLimit.bound) }
            if remaining < grant.duration {
                warnings.append(TTLWarning(code: .ttlCapped, wanted: grant.duration, allowed: remaining))
                grant = Length(remaining, ageLimit.bound)
            }
            left = remaining
        }

        let maximumAt = left.map { now + $0 }
        var expiresAt = min(request.now + grant.duration, maximumAt ?? .distantFuture)
        if let parentEnd = request.parentEnd {
            if parentEnd <= request.now { throw .parentEnded(at: parentEnd, now: request.now) }
            if parentEnd < expiresAt {
                expiresAt = parentEnd
                grant = Length(request.now.duration(to: parentEnd), .parent)
            }
        }
        return TTLDecision(
            ttl: grant.duration,
            expiresAt: expiresAt,
            boundBy: grant.bound,
            warnings: warnings,
            leftToMaximum: left,
            maximumAt: maximumAt
        )
    }
}
