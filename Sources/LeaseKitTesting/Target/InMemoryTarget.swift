// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// The outside world of a test: a system with users in it, on a clock of its own, where everything can go wrong.
///
/// One target serves any number of ``InMemoryBackend``s, as one database serves many brokers, and outlives their
/// crashes. It is the one truth about what lives: checkers ask it, and compare.
///
/// Requests that a fault has put off are done when the clock has passed their time, before anything else is asked or
/// read. ``settle()`` does only that.
public final class InMemoryTarget: Sendable {
    let state: Locked<TargetState>
    /// The target's own clock.
    public let time: any LeaseTime

    /// Makes an empty target.
    ///
    /// `seed` decides the random faults of ``setRandomFaults(_:)``.
    public init(time: any LeaseTime, fingerprint: String = "target-1", seed: UInt64 = 0) {
        self.time = time
        state = Locked(TargetState(fingerprint: fingerprint, seed: seed))
    }

    /// Does every request whose time has come.
    public func settle() { settled { _ in } }

    /// Every credential that can be used now, by the target's clock, in order of name.
    ///
    /// Those of other targets that were behind this address are included: nobody has ended them.
    public var liveCredentials: [TargetPrincipal] {
        let now = time.read().wall
        return principals.filter { $0.mark != nil && $0.isLive(at: now) }
    }

    /// Everything in the tables, strangers and those whose time is over included, in order of name.
    public var principals: [TargetPrincipal] {
        settled { state in state.tables.values.flatMap { $0.principals.values } }
            .sorted { ($0.name, $0.target) < ($1.name, $1.target) }
    }

    /// The one with this name at the target that answers now, whether its time is over or not.
    public func principal(_ name: String) -> TargetPrincipal? {
        settled { $0.tables[$0.fingerprint]?.principals[name] }
    }

    /// Whether somebody of this name can be used now, at the target that answers now.
    public func isLive(_ name: String) -> Bool {
        let now = time.read().wall
        return principal(name)?.isLive(at: now) ?? false
    }

    /// Whether a credential opens the target that answers now.
    public func check(_ credential: FakeCredential) -> Bool {
        let now = time.read().wall
        guard let found = principal(credential.username) else { return false }
        return found.isLive(at: now) && found.password == credential.password
    }

    /// Everything that was ever asked and done, oldest first.
    public var history: [TargetEvent] { settled { $0.history } }

    /// How many requests of one operation have arrived.
    public func arrivals(of operation: TargetOperation) -> Int { settled { $0.arrivals[operation] ?? 0 } }

    /// How many requests have arrived and may still be done.
    public var inFlightCount: Int { settled { $0.inFlight.count } }

    /// Which target answers now.
    public var fingerprint: String { settled { $0.fingerprint } }

    func accept(_ request: TargetRequest) -> TargetTicket {
        let now = time.read()
        return state.withLock { $0.accept(request, now) }
    }

    /// The answer to a request that was put off, once it is there.
    func takeAnswer(_ id: UInt64) -> TargetReply? { settled { $0.answers.removeValue(forKey: id) } }

    func settled<R: Sendable>(_ body: (inout TargetState) -> R) -> R {
        let now = time.read()
        return state.withLock { state in
            state.settle(now)
            return body(&state)
        }
    }
}
