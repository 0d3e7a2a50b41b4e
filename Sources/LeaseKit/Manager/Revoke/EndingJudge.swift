// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Decides what becomes of a lease after one attempt to end it.
///
/// Pure.
struct EndingJudge: Sendable {
    private let claim: LeaseClaim
    private let attempts: Int
    /// When the call that issues it gives up at the latest; nil for a lease that was handed out.
    private let issueDeadline: LeaseInstant?
    let settleTime: Duration
    /// Whether the call that issues it has not returned yet; asked only while it is settling.
    let isBeingIssued: Bool
    let retry: RetryPolicy
    let now: LeaseInstant
    /// When the target was asked: an answer tells of no later moment, however long it took.
    let askedAt: LeaseInstant
    /// From 0 up to, but not including, 1.
    let jitter: Double

    struct Verdict: Sendable {
        let update: LeaseUpdate
        let event: LeaseEvent.Kind?

        /// How the lease ends by this, if it does.
        var outcome: LeaseOutcome? {
            if case .remove(_, let outcome) = update { outcome } else { nil }
        }
    }

    init(
        record: LeaseRecord,
        settleTime: Duration,
        isBeingIssued: Bool,
        retry: RetryPolicy,
        now: LeaseInstant,
        askedAt: LeaseInstant? = nil,
        jitter: Double
    ) {
        claim = record.claim ?? LeaseClaim(rawValue: 0)
        attempts = Int(record.attempts)
        issueDeadline = record.state == .settling ? record.issueDeadline : nil
        self.settleTime = settleTime
        self.isBeingIssued = isBeingIssued
        self.retry = retry
        self.now = now
        self.askedAt = askedAt ?? now
        self.jitter = jitter
    }

    func verdict(_ result: Result<RevocationOutcome, BackendFailure>) -> Verdict {
        switch result {
        case .success(let outcome): verdict(outcome)
        case .failure(let failure): verdict(failure)
        }
    }

    private func verdict(_ outcome: RevocationOutcome) -> Verdict {
        switch outcome.value {
        case .notOurs:
            return over(.notOurs, event: .notOurs)
        case .settledGone where !isBeingIssued:
            return over(.alreadyGone, event: .revoked)
        case .revoked, .alreadyGone, .settledGone:
            // Never handed out: a request may still be on its way to the target, so this was only a look.
            if let lookAgain { return Verdict(update: .settle(claim, due: lookAgain), event: nil) }
            return over(outcome == .revoked ? .revoked : .alreadyGone, event: .revoked)
        case .ends(let end):
            if end <= now { return over(.ended, event: .revoked) }
            return Verdict(update: .end(claim, until: end), event: .ending)
        }
    }

    private func verdict(_ failure: BackendFailure) -> Verdict {
        if failure.scope == .target || !failure.wasSent {
            // Not the lease's fault: nothing is charged, and it goes first when the target is back, or a manager.
            return Verdict(update: .release(claim, due: now), event: nil)
        }
        if failure.kind == .gone { return verdict(.alreadyGone) }
        if failure.underlying is UnreadableHandle {
            return Verdict(update: .quarantine(claim, failure.note), event: .quarantined)
        }
        let isStuck = failure.kind == .denied
        let failures = attempts + 1
        let wait = retry.wait(afterFailures: failures, jitter: jitter, isStuck: isStuck, atLeast: failure.retryAfter)
        return Verdict(
            update: .attempt(claim, failure.note, due: now + wait, isStuck: isStuck),
            event: isStuck ? .revocationStuck : .revocationFailed
        )
    }

    private func over(_ outcome: LeaseOutcome, event: LeaseEvent.Kind) -> Verdict {
        Verdict(update: .remove(claim, outcome), event: event)
    }

    /// When to look again at a lease that was never handed out; nil when nothing can be in flight any more.
    private var lookAgain: LeaseInstant? {
        guard let deadline = issueDeadline else { return nil }
        let settled = deadline + settleTime
        if isBeingIssued { return max(settled, now + .seconds(1)) }
        return settled > askedAt ? max(settled, now) : nil
    }
}
