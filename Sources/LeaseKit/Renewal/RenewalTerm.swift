// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a holder knows of the time of one lease: until when it runs, how its renewal fares.
///
/// Pure, and small, for there may be a million of them: clock readings are kept as nanoseconds.
struct RenewalTerm: Sendable, Hashable {
    private var startNanoseconds: Int64
    private var endNanoseconds: Int64
    /// Failures in a row since it was last extended.
    private(set) var failures: UInt16 = 0
    /// The broker that extended it last.
    private(set) var home: UInt8
    /// Whether no renewal can move its end any more.
    private(set) var isFinal: Bool
    /// Whether the last renewal was granted and moved nothing.
    private(set) var isStalled = false
    /// Whether it was lengthened last by news, and not by the answer to a renewal.
    private var isMovedOn = false

    init(from start: Duration, until end: Duration, isFinal: Bool, broker: Int = 0) {
        startNanoseconds = start.saturatingNanoseconds
        endNanoseconds = end.saturatingNanoseconds
        self.isFinal = isFinal
        home = UInt8(clamping: broker)
    }

    /// A lease that has just been issued.
    init<Secret>(_ lease: Lease<Secret>, askedAt: Duration, broker: Int, _ policy: RenewalPolicy) {
        let granted = lease.terms.ttl
        let isFinal = !lease.isRenewable || lease.terms.leftToMaximum.map { granted >= $0 } ?? false
        self.init(
            from: askedAt,
            until: policy.trusted(until: lease.validUntil, askedAt: askedAt, granted: max(granted, .zero)),
            isFinal: isFinal,
            broker: broker
        )
    }

    var start: Duration { .nanoseconds(startNanoseconds) }
    /// The end that the holder counts on.
    var end: Duration { .nanoseconds(endNanoseconds) }
    var granted: Duration { end - start }

    func isOver(at now: Duration) -> Bool { now >= end }
    func left(at now: Duration) -> Duration { max(.zero, end - now) }

    /// When it is renewed or replaced first.
    func firstAttempt(_ policy: RenewalPolicy, _ window: RenewalWindow? = nil, random: Double) -> Duration {
        policy.firstAttempt(from: start, until: end, window: window, random: random)
    }

    /// Which broker is asked next.
    func broker(_ policy: RenewalPolicy, count: Int, areShared: Bool) -> Int {
        areShared ? policy.broker(home: Int(home), failures: Int(failures), count: count) : Int(home)
    }

    /// A renewal that was asked for at `askedAt` was granted: when to ask again.
    ///
    /// A grant that moves nothing is no failure: a lowered limit, a parent's end or the target's own may stand in the way for
    /// a while. It is asked again as if what is left had just been granted, and no sooner than after a second.
    mutating func extend(
        _ outcome: RenewalOutcome,
        askedAt: Duration,
        broker: Int,
        _ policy: RenewalPolicy,
        random: Double
    ) -> Duration {
        let before = end
        let expected = askedAt - start
        startNanoseconds = askedAt.saturatingNanoseconds
        endNanoseconds =
            policy.trusted(until: outcome.validUntil, askedAt: askedAt, granted: outcome.granted)
            .saturatingNanoseconds
        failures = 0
        isMovedOn = false
        home = UInt8(clamping: broker)
        isFinal = outcome.isAtMaximum
        isStalled = expected > .seconds(1) && end - before < expected / 2
        let next = firstAttempt(policy, outcome.window, random: random)
        return isStalled ? max(next, askedAt + RenewalPolicy.leastWait) : next
    }

    /// Its end was moved by somebody else.
    mutating func move(to end: Duration, at now: Duration) {
        let isLonger = end > self.end
        endNanoseconds = end.saturatingNanoseconds
        if isLonger {
            startNanoseconds = now.saturatingNanoseconds
            failures = 0
            isMovedOn = true
        }
    }

    /// A renewal that was asked for at `askedAt` failed: when to try again, or the end when there is no time left for it.
    ///
    /// One that nobody answered, and after which news came of a later end, was done all the same. To go on asking somebody whose
    /// answers get lost would renew it again every few seconds.
    mutating func fail(
        _ policy: RenewalPolicy,
        askedAt: Duration,
        at now: Duration,
        isRefused: Bool,
        retryAfter: Duration?,
        random: Double
    ) -> Duration {
        if isMovedOn, start >= askedAt, !isRefused { return firstAttempt(policy, random: random) }
        if failures < .max { failures += 1 }
        let wait = policy.retry(
            afterFailures: Int(failures),
            left: left(at: now),
            isRefused: isRefused,
            retryAfter: retryAfter,
            random: random
        )
        return min(end, wait.map { now + $0 } ?? end)
    }

    /// No renewal will move its end.
    mutating func makeFinal() { isFinal = true }
}
