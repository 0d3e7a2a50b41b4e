// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Keeps calls away from a target that is down, but for one probe every few seconds.
///
/// Pure: told what happened and what time it is, it says what may be done.
///
/// ```
/// closed ──failure of the target──▶ open ──probe interval──▶ one probe ──success──▶ closed
///                                    ▲                          │
///                                    └─────────failure──────────┘
/// ```
public struct CircuitBreaker: Hashable, Sendable {
    /// The longest that a target's own word on when to come again is heeded.
    ///
    /// A target that asks for hours, or a proxy before it that is wrong, is still looked at about once a minute.
    public static let longestWait = Duration.seconds(60)
    /// How often a probe is let through while open.
    public var probeInterval: Duration

    private enum State: Hashable {
        case closed
        case open(nextProbe: LeaseInstant, since: LeaseInstant)
        case probing(until: LeaseInstant, since: LeaseInstant)
    }

    private var state = State.closed

    /// Makes a closed breaker.
    public init(probeInterval: Duration = .seconds(3)) { self.probeInterval = probeInterval }

    /// Whether everything goes through.
    public var isClosed: Bool { state == .closed }

    /// Since when it is open; nil when it is closed.
    public var openSince: LeaseInstant? {
        switch state {
        case .closed: nil
        case .open(_, let since), .probing(_, let since): since
        }
    }

    /// When the next probe may go; nil when closed.
    public var nextProbe: LeaseInstant? {
        switch state {
        case .closed: nil
        case .open(let next, _), .probing(let next, _): next
        }
    }

    /// Asks to make a call: granted when closed, or as the one probe.
    ///
    /// A probe that never reports lapses after an interval.
    public mutating func admit(at now: LeaseInstant) -> Bool {
        guard let next = nextProbe, let since = openSince else { return true }
        guard now >= next else { return false }
        state = .probing(until: now + probeInterval, since: since)
        return true
    }

    /// The probe found nothing out: the next call is the probe.
    mutating func passOn(at now: LeaseInstant) {
        if let since = openSince { state = .open(nextProbe: now, since: since) }
    }

    /// Whether ``admit(at:)`` would say yes.
    public func wouldAdmit(at now: LeaseInstant) -> Bool { nextProbe.map { now >= $0 } ?? true }

    /// A call reached the target; true when that closed the breaker.
    public mutating func succeed() -> Bool {
        defer { state = .closed }
        return state != .closed
    }

    /// A call failed for the target's sake; true when that opened the breaker.
    public mutating func fail(at now: LeaseInstant, retryAfter: Duration? = nil) -> Bool {
        let wasClosed = isClosed
        let since = openSince ?? now
        state = .open(nextProbe: now + max(probeInterval, min(retryAfter ?? .zero, Self.longestWait)), since: since)
        return wasClosed
    }
}
