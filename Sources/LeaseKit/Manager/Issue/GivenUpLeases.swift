// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease that nobody holds and nobody will: its issue failed, or came too late.
struct GivenUpLease: Sendable {
    let id: LeaseID
    let handOver: LeaseHandOver
    let cause: LeaseCause
    /// The order to revoke it with, should it be active: the same at each try, so that it is placed once.
    let order: RevocationOrderID
    /// Until when it may still be written down, where the answer to its insertion was lost.
    var mayAppearUntil: LeaseInstant?
}

/// Leases that were given up while the store was out of reach: the background work tries again, whatever became of the caller.
///
/// A crash forgets the list. A pending lease is ended by its deadline then; what was active already, by its time.
final class GivenUpLeases: Sendable {
    /// There are no more than calls in flight when a store goes away; what comes on top is left to its own end.
    static let limit = 10_000
    /// How often a store that is out of reach is asked again.
    static let pause = Duration.seconds(1)

    private struct State {
        var leases: [GivenUpLease] = []
        var nextTry = Duration.zero
    }

    private let state = Locked(State())

    /// Keeps leases for the next try.
    func keep(_ leases: some Sequence<GivenUpLease>, nextTry: Duration) {
        state.withLock { state in
            state.leases += leases
            state.leases.removeFirst(max(0, state.leases.count - Self.limit))
            state.nextTry = nextTry
        }
    }

    /// Takes all of them, if it is time for the next try.
    func take(at now: Duration) -> [GivenUpLease] {
        state.withLock { state in
            guard now >= state.nextTry else { return [] }
            defer { state.leases = [] }
            return state.leases
        }
    }

    /// When the next try is due; nil when there is none.
    var nextTry: Duration? { state.withLock { $0.leases.isEmpty ? nil : $0.nextTry } }
}
