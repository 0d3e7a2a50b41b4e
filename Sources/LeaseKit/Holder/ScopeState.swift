// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What ``LeaseSource/withLease(_:_:renewing:_:)`` knows of its lease, and what it decides.
///
/// Pure: clock readings and answers in, the next step out.
struct ScopeState: Sendable {
    /// What to do next.
    enum Step: Hashable, Sendable {
        case wait(until: Duration)
        case renew(attempt: Int)
        case lose(LeaseLost.Reason)
    }

    private let policy: RenewalPolicy?
    private(set) var term: RenewalTerm
    /// The end as the source names it, and the same by the continuous clock.
    private(set) var named: (end: LeaseInstant, at: Duration)
    private var due: Duration
    private var attempt = 0
    /// When the newest attempt began, and when it counts as failed if it is under way.
    private var attemptFrom = Duration.zero
    private var attemptUntil: Duration?
    private var loss: LeaseLost.Reason?
    private var jitter: LeaseJitter

    init<Secret>(_ lease: Lease<Secret>, askedAt: Duration, _ policy: RenewalPolicy?) {
        jitter = LeaseJitter(lease.id)
        self.policy = policy
        term = RenewalTerm(lease, askedAt: askedAt, broker: 0, policy ?? RenewalPolicy())
        named = (lease.expiresAt, lease.validUntil)
        due = term.firstAttempt(policy ?? RenewalPolicy(), lease.window, random: jitter.next())
    }

    /// What a renewal asks for.
    var increment: Duration? { policy?.increment }

    /// The next step; a renewal that it names counts as begun.
    mutating func step(at now: Duration) -> Step {
        if let loss { return .lose(now >= term.end ? .expired : loss) }
        if term.isOver(at: now) { return .lose(.expired) }
        guard let policy else { return .wait(until: term.end) }
        if let until = attemptUntil {
            if now < until { return .wait(until: min(until, term.end)) }
            fail(.unanswered(retryAfter: nil), policy, at: now)
        }
        if term.isFinal || now < due { return .wait(until: term.isFinal ? term.end : min(due, term.end)) }
        attempt += 1
        attemptFrom = now
        attemptUntil = now + policy.timeout(left: term.left(at: now))
        return .renew(attempt: attempt)
    }

    /// A renewal was granted.
    ///
    /// Also one that had run into its timeout: its end counts if it is the later one.
    mutating func renewed(_ outcome: RenewalOutcome, attempt: Int, askedAt: Duration) {
        guard let policy, attempt == self.attempt || outcome.validUntil > named.at else { return }
        due = term.extend(outcome, askedAt: askedAt, broker: 0, policy, random: jitter.next())
        named = (outcome.expiresAt, outcome.validUntil)
        attemptUntil = nil
    }

    /// A renewal failed.
    mutating func failed(_ error: any Error, attempt: Int, at now: Duration) {
        guard let policy, attempt == self.attempt, attemptUntil != nil else { return }
        fail(RenewalVerdict(reading: error), policy, at: now)
    }

    /// Somebody else did something to the lease.
    mutating func noticed(_ news: LeaseNews, at now: Duration) {
        switch news {
        case .ended(let reason): loss = reason
        case .moved(let end):
            guard end != named.end else { return }
            let moved = named.at + named.end.duration(to: end)
            named = (end, moved)
            term.move(to: moved, at: now)
            if let policy { due = term.firstAttempt(policy, random: jitter.next()) }
        }
    }

    private mutating func fail(_ verdict: RenewalVerdict, _ policy: RenewalPolicy, at now: Duration) {
        attemptUntil = nil
        switch verdict {
        case .over(let reason): loss = reason
        case .final: term.makeFinal()
        case .unanswered, .refused:
            due = term.fail(
                policy,
                askedAt: attemptFrom,
                at: now,
                isRefused: verdict.isRefused,
                retryAfter: verdict.retryAfter,
                random: jitter.next()
            )
        }
    }
}

/// Random numbers of one lease, drawn from its id: they differ between leases, and a seeded run replays them.
struct LeaseJitter: Sendable {
    private var state: UInt64

    init(_ lease: LeaseID) { state = lease.high ^ lease.low }

    /// A number from 0 up to, but not including, 1.
    mutating func next() -> Double {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
    }
}
