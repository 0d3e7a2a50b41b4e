// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The generations of a rotating credential: which one is current, which ones drain, and what is under way.
///
/// ```
///            make ─▶ validate ─▶ current ─▶ draining ─▶ ending ─▶ gone
///  at most      one at a time      one    check-outs end   revoked by the source
/// ```
///
/// Pure: events come in with the time, ``decide(at:random:)`` answers what is to be done. Exits of each state: *making* ends
/// with ``made(_:at:random:)`` or ``makingFailed(_:at:random:)``; *current* is retired by the next one, lost with its lease, or
/// closed; *draining* becomes *ending* when its last user is gone, its grace is over, or its place is needed; *ending* leaves
/// when the source was told, and stops being waited for when that failed.
struct RotationState: Sendable {
    /// The credential that is handed out.
    struct Current: Sendable {
        let number: UInt64
        let lease: LeaseID
        var term: RenewalTerm
        /// The end as the source names it, and the same by the continuous clock.
        var named: (end: LeaseInstant, at: Duration)
        /// When it is renewed, or replaced if it cannot be renewed.
        var due: Duration
        var isRenewing = false
        var renewedAt: Duration
    }

    /// A credential that is handed out no more.
    struct Retired: Sendable {
        let number: UInt64
        let lease: LeaseID
        let home: Int
        let end: Duration
        var deadline: Duration
        /// Until when it is left alone even without users.
        var restsUntil: Duration
        var isEnding = false
        /// Whether it is, or may be, good for anything at the target.
        var mayBeLive: Bool
        /// Whether ending it was tried once, so that nobody waits for it any more.
        var wasTried = false
        /// Whether anybody ever got it.
        var wasHandedOut = true
    }

    /// Why another credential is wanted.
    enum Want: Sendable, Hashable {
        case nothingHeld, dueForReplacement, cannotRenew, rejected, moreTime, failover
    }

    /// What a new credential is.
    struct Made: Sendable {
        let attempt: UInt64
        let lease: LeaseID
        let term: RenewalTerm
        let named: (end: LeaseInstant, at: Duration)
        let window: RenewalWindow?
    }

    let renewal: RenewalPolicy
    let rotation: RotationPolicy
    let brokerCount: Int
    let sharesLeases: Bool

    var current: Current?
    var retired: [Retired] = []
    /// How many hold each generation.
    var users: [UInt64: Int] = [:]
    var making: UInt64?
    var attempts: UInt64 = 0
    /// Failures to make one, in a row.
    var failures = 0
    var broker = 0
    var want: Want?
    /// When the next one may be made.
    var notBefore = Duration.zero
    var lastMadeAt: Duration?
    var lastTriedAt: Duration?
    var lastGranted: Duration?
    var lastNumber: UInt64 = 0
    /// How many were made and handed out to nobody.
    var discards: UInt64 = 0
    var isClosing = false
    var closeBy: Duration?
    var toldHealth: Level?

    enum Level: Sendable { case healthy, degraded, lost }

    init(_ renewal: RenewalPolicy, _ rotation: RotationPolicy, brokerCount: Int, sharesLeases: Bool) {
        self.renewal = renewal
        self.rotation = rotation
        self.brokerCount = brokerCount
        self.sharesLeases = sharesLeases
    }

    /// Whether everything has been given back.
    var isClosed: Bool {
        isClosing && current == nil && making == nil && retired.allSatisfy { $0.isEnding && $0.wasTried }
    }

    /// Whether a generation may be handed out.
    func isCurrent(_ number: UInt64, at now: Duration) -> Bool {
        guard let current, !isClosing else { return false }
        return current.number == number && !current.term.isOver(at: now)
    }

    /// How long a generation is good yet: a current one to its end, one that drains until it is ended under its users.
    func timeLeft(of number: UInt64, at now: Duration) -> Duration {
        if let current, current.number == number { return current.term.left(at: now) }
        guard let old = retired.first(where: { $0.number == number && !$0.isEnding }) else { return .zero }
        return max(.zero, min(old.deadline, old.end) - now)
    }

    func health(at now: Duration) -> CredentialHealth {
        guard let current, !current.term.isOver(at: now) else { return .lost }
        let left = current.term.left(at: now)
        let isTroubled =
            current.term.failures >= max(1, renewal.failoverAfter) || want == .rejected || want == .cannotRenew
            || failures >= max(1, renewal.failoverAfter)
        let isLate = left <= renewal.danger(granted: current.term.granted) && current.due <= now
        return isTroubled || isLate ? .degraded(remaining: left) : .healthy
    }
}
