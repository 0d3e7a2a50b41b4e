// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension TTLPolicy {
    /// A length of time and what set it.
    struct Length {
        let duration: Duration
        let bound: TTLBound

        init(_ duration: Duration, _ bound: TTLBound) {
            self.duration = Self.held(duration)
            self.bound = bound
        }

        /// Holds a duration to what can be added to an age and to an instant without a trap, far beyond any real one.
        static func held(_ duration: Duration) -> Duration {
            // Every real one is far from the ends, which the upper half of its 128 bits says.
            if abs(duration.attoseconds >> 64) < 1 << 56 { return duration }
            let longest = Duration.seconds(Int64.max / 2)
            return min(max(duration, .zero - longest), longest)
        }
    }

    /// An instant as the rule set sees it.
    func reading(_ instant: LeaseInstant) -> LeaseInstant {
        rules == .vault ? instant.flooredToSeconds : instant
    }

    /// The instant that a lease's age counts from.
    func startOfAge(_ request: TTLRequest, now: LeaseInstant) -> LeaseInstant {
        guard let issuedAt = request.issuedAt else { return now }
        // Vault lets an issue time in the future move the maximum out by as much.
        return rules == .vault ? reading(issuedAt) : min(issuedAt, now)
    }

    /// A duration, unless it is none: missing, zero or negative.
    func set(_ duration: Duration?) -> Duration? {
        guard let duration, duration.isPositive else { return nil }
        return Length.held(duration)
    }

    /// The shortest of the maximums that count.
    func ceiling(for request: TTLRequest) throws(TTLError) -> Length {
        let outer = outerMaximum
        guard let outerDuration = outer.duration, outerDuration.isPositive else {
            throw .maximumNotPositive(outer.duration, of: outer.bound)
        }
        var ceiling = Length(outerDuration, outer.bound)
        if let maximum = set(role.maximum), maximum < ceiling.duration { ceiling = Length(maximum, .role) }
        if let maximum = set(request.explicitMaximum), maximum < ceiling.duration {
            ceiling = Length(maximum, .explicitMaximum)
        }
        return ceiling
    }

    /// The maximum that the role and the request can only lower: the mount's or else the system's, valid or not.
    var outerMaximum: (duration: Duration?, bound: TTLBound) {
        if let maximum = tuned(mount.maximum) { return (maximum, .mount) }
        return (system.maximum, .system)
    }

    /// The period of a periodic lease; `nil` when the lease is not periodic.
    func period(for request: TTLRequest) -> Length? {
        let period = set(request.period) ?? set(role.period) ?? set(mount.period) ?? set(system.period)
        return period.map { Length($0, .period) }
    }

    /// The time that a lease which is not periodic would get if there were no maximum.
    func wanted(for request: TTLRequest) throws(TTLError) -> Length {
        if let increment = set(request.increment) { return Length(increment, .request) }
        if let ttl = set(role.ttl) { return Length(ttl, .role) }
        if let ttl = tuned(mount.ttl) { return Length(ttl, .mount) }
        if let ttl = system.ttl { return Length(ttl, .system) }
        if rules == .exact { throw .noDefault }
        return Length(.zero, .system)
    }

    /// A value of the mount, unless it inherits: in Vault only zero does, a negative one takes the system's place.
    private func tuned(_ duration: Duration?) -> Duration? {
        duration == .zero ? nil : duration
    }
}

extension LeaseInstant {
    /// The start of the second that this instant lies in.
    fileprivate var flooredToSeconds: LeaseInstant {
        if self == .distantFuture || self == .distantPast { return self }
        let nanosecondsPerSecond: Int64 = 1_000_000_000
        let rest = nanosecondsSinceEpoch % nanosecondsPerSecond
        let part = rest < 0 ? rest + nanosecondsPerSecond : rest
        let (floor, overflow) = nanosecondsSinceEpoch.subtractingReportingOverflow(part)
        return overflow ? .distantPast : LeaseInstant(nanosecondsSinceEpoch: floor)
    }
}
