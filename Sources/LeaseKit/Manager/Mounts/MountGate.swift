// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Decides which calls of one mount may be made now.
///
/// Pure but for the replies of those who wait: the lock and the waiting are ``MountRuntime``'s.
struct MountGate: Sendable {
    /// Which target answers, as far as it is known.
    enum Identity: Sendable, Equatable {
        /// Asked before the next call: at the start, and after each outage.
        case unasked
        /// The one that the mount belongs to, or one that cannot tell.
        case confirmed
        /// Another one, or nil for one that does not say though the mount's own did. Nothing is called until it is adopted, or
        /// the right one answers to the probe.
        case mismatch(found: String?)
    }

    enum Kind: Sendable { case demand, revocation }

    enum Refusal: Sendable, Equatable {
        case targetDown(retryAfter: Duration)
        case targetMismatch(found: String?)
        case unmounting
        case busy
        case crowded(Int)
        case tooFast(Duration)
    }

    /// Shared and not copied: they are large, and each call asks for several of them.
    private(set) var shared: SharedSettings
    var settings: MountSettings { shared.value }
    var breaker: CircuitBreaker
    var identity = Identity.unasked
    var limiter = RateLimiter()
    /// Whether the target is being asked who it is, on behalf of the background work.
    var isProbing = false
    /// Whether the mount is on its way out and takes no new demand.
    var isUnmounting = false
    /// Who waits to issue or renew.
    private(set) var line = WaitingLine()
    private(set) var demands = 0
    private(set) var revocations = 0

    init(_ settings: MountSettings) {
        shared = SharedSettings(settings)
        breaker = CircuitBreaker(probeInterval: settings.probeInterval)
    }

    /// Whether the target that answers is known to be the right one, or one that cannot tell.
    var isConfirmed: Bool { if case .confirmed = identity { true } else { false } }

    /// Whether another target answers than the one that the mount belongs to.
    var isMismatched: Bool { if case .mismatch = identity { true } else { false } }

    /// Takes a place for one call; nil when it was granted.
    ///
    /// `asksFirst` says that whoever enters asks the target who it is before anything else: the one call that another target
    /// may be sent.
    mutating func enter(_ kind: Kind, at now: LeaseInstant, asksFirst: Bool = false) -> Refusal? {
        enter(kind, at: now, asksFirst: asksFirst, isNext: line.isEmpty)
    }

    /// Takes a place to issue or renew, or stands in the line until `turn` is answered; nil when it was taken.
    ///
    /// ``Refusal/busy`` and ``Refusal/tooFast(_:)`` mean to wait; after anything else it is not in the line any more.
    mutating func enterOrWait(_ ticket: inout UInt64?, _ turn: Reply<Void>, at now: LeaseInstant) -> Refusal? {
        let refusal = enter(.demand, at: now, asksFirst: true, isNext: line.isTurn(of: ticket))
        switch refusal {
        case .busy, .tooFast:
            return line.wait(&ticket, turn, limit: settings.waitingLimit) ? refusal : .crowded(settings.waitingLimit)
        default:
            line.leave(ticket)
            ticket = nil
            return refusal
        }
    }

    /// Waits no more.
    mutating func leaveLine(_ ticket: UInt64?) { line.leave(ticket) }

    private mutating func enter(_ kind: Kind, at now: LeaseInstant, asksFirst: Bool, isNext: Bool) -> Refusal? {
        if isUnmounting && kind == .demand { return .unmounting }
        if case .mismatch(let found) = identity, !asksFirst || !breaker.wouldAdmit(at: now) {
            return .targetMismatch(found: found)
        }
        if !breaker.wouldAdmit(at: now) {
            return .targetDown(retryAfter: breaker.nextProbe.map { now.duration(to: $0) } ?? .zero)
        }
        if isFull(kind) || kind == .demand && !isNext { return .busy }
        if let wait = limiter.take(settings.rate, at: now) { return .tooFast(wait) }
        _ = breaker.admit(at: now)
        switch kind {
        case .demand: demands += 1
        case .revocation: revocations += 1
        }
        return nil
    }

    /// Whether every place is taken.
    func isFull(_ kind: Kind) -> Bool {
        switch kind {
        case .demand: demands >= settings.concurrency
        case .revocation: revocations >= settings.revocationConcurrency
        }
    }

    mutating func leave(_ kind: Kind) {
        switch kind {
        case .demand: demands -= 1
        case .revocation: revocations -= 1
        }
    }

    /// How many revocations may start now.
    func revocationRoom(at now: LeaseInstant) -> Int {
        if isProbing { return 0 }
        guard breaker.wouldAdmit(at: now) else { return 0 }
        let places = max(0, settings.revocationConcurrency - revocations)
        let room = min(places, limiter.room(settings.rate, at: now))
        // Until the target is known to be up, and to be the right one, one lease is enough to find out.
        return breaker.isClosed && identity == .confirmed ? room : min(room, 1)
    }

    /// When there may be room that there is not now, if it is time alone that brings it.
    func nextRoom(at now: LeaseInstant) -> LeaseInstant? {
        // The end of the probe, or of a revocation, brings it, and rings.
        if isProbing || revocations >= settings.revocationConcurrency { return nil }
        let byRate = limiter.room(settings.rate, at: now) == 0 ? limiter.nextRoom(settings.rate, at: now) : nil
        guard let probe = breaker.nextProbe else { return byRate }
        return max(probe, byRate ?? probe)
    }

    /// A call reached the target; true when it was down before.
    mutating func succeed() -> Bool { breaker.succeed() }

    /// A call failed for the target's sake; true when it was up before.
    mutating func failTarget(at now: LeaseInstant, retryAfter: Duration?) -> Bool {
        if identity == .confirmed { identity = .unasked }
        return breaker.fail(at: now, retryAfter: retryAfter)
    }

    /// Who it is was asked, and it cannot tell: whether it is up is not known by that, so the next call finds out.
    mutating func passProbeOn(at now: LeaseInstant) { breaker.passOn(at: now) }

    /// Another target answers; true when that is news.
    ///
    /// Who it is is asked again as often as one that is down is probed.
    mutating func mismatch(found: String?, at now: LeaseInstant) -> Bool {
        _ = breaker.fail(at: now)
        defer { identity = .mismatch(found: found) }
        return identity != .mismatch(found: found)
    }

    mutating func change(_ settings: MountSettings) {
        shared = SharedSettings(settings)
        breaker.probeInterval = settings.probeInterval
    }
}

/// A mount's settings as they were at one moment.
final class SharedSettings: Sendable {
    let value: MountSettings

    init(_ value: MountSettings) { self.value = value }
}
