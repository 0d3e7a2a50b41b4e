// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where the manager stands: not run yet, opening its store, running, stopping, stopped.
final class Lifecycle: Sendable {
    enum Phase: Sendable { case idle, starting, running, stopping, stopped }

    private struct State {
        var phase = Phase.idle
        var hasRun = false
        var waiters: [Reply<Void>] = []
        var demands = 0
        var startFailure: (any Error)?
    }

    private let state = Locked(State())
    private let stop = Reply<Void>()

    var phase: Phase { state.withLock { $0.phase } }

    /// Why it could not start, if it could not.
    var startFailure: (any Error)? { state.withLock { $0.startFailure } }

    /// Enters `starting`; throws when it was entered before.
    func begin() throws {
        try state.withLock { state throws(LeaseError) in
            switch state.phase {
            case .idle: state.phase = .starting
            // Told to stop before it was run: what was issued meanwhile is still cleaned up.
            case .stopping where !state.hasRun: break
            case .starting, .running: throw LeaseError(.alreadyRunning, "run() is running already; call it once")
            case .stopping, .stopped:
                throw LeaseError(.managerStopped, "this manager has been stopped; make a new one on the same store")
            }
            state.hasRun = true
        }
    }

    /// Enters `running`: the store is open.
    func didStart() {
        let waiters: [Reply<Void>] = state.withLock { state in
            guard state.phase == .starting else { return [] }
            state.phase = .running
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.deliver(.success(())) }
    }

    /// The store could not be opened: whoever waits for the start is told why.
    func failToStart(_ error: any Error) {
        let waiters = state.withLock { state in
            state.phase = .stopped
            state.startFailure = error
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.deliver(.failure(error)) }
        stop.deliver(.success(()))
    }

    /// Begins to stop; true for the first call.
    ///
    /// Before `run()` it is remembered, and a later `run()` only cleans up.
    func beginStopping() -> Bool {
        let (isFirst, waiters): (Bool, [Reply<Void>]) = state.withLock { state in
            guard state.phase != .stopping && state.phase != .stopped else { return (false, []) }
            state.phase = .stopping
            defer { state.waiters = [] }
            return (true, state.waiters)
        }
        for waiter in waiters { waiter.deliver(.failure(Self.stopped)) }
        if isFirst { stop.deliver(.success(())) }
        return isFirst
    }

    /// Waits until it begins to stop, however that came; for one waiter.
    func stops() async { try? await stop.valueWhateverHappens() }

    /// Ends it all.
    func finish() { state.withLock { $0.phase = .stopped } }

    /// Notes a call that issues or renews; throws once no new ones are taken.
    func beginDemand() throws {
        try state.withLock { state throws(LeaseError) in
            if state.phase == .stopping || state.phase == .stopped { throw Self.stopped }
            state.demands += 1
        }
    }

    /// Notes that such a call is done; true when the shutdown waits for this news.
    func endDemand() -> Bool {
        state.withLock { state in
            state.demands -= 1
            return state.demands == 0 && state.phase == .stopping
        }
    }

    /// Whether calls that issue or renew are under way.
    var hasDemands: Bool { state.withLock { $0.demands > 0 } }

    /// Waits, but not for ever, until `run()` runs.
    @inline(never)
    func requireRunning(within limit: Duration, _ time: any LeaseTime) async throws {
        let reply: Reply<Void>? = try state.withLock { state in
            switch state.phase {
            case .running: return nil
            case .stopping, .stopped: throw state.startFailure ?? Self.stopped
            case .idle, .starting:
                let reply = Reply<Void>()
                state.waiters.removeAll { $0.isAbandoned }
                state.waiters.append(reply)
                return reply
            }
        }
        guard let reply else { return }
        if try await reply.value(until: time.read().continuous + limit, time) == nil {
            if phase == .starting {
                throw LeaseError(
                    .managerNotRunning,
                    "this call needs the manager's run(), which is still opening the store; look at the store, or wait longer"
                )
            }
            throw LeaseError(
                .managerNotRunning,
                "this call needs the manager's run(), which is not running; start it in a task group or service group"
            )
        }
    }

    /// Waits, but not for ever, until `run()` was started; one that is on its way out still carries out what there is.
    func requireStarted(within limit: Duration, _ time: any LeaseTime) async throws {
        switch state.withLock({ ($0.phase, $0.hasRun) }) {
        case (.idle, _): try await requireRunning(within: limit, time)
        case (.stopping, false):
            throw LeaseError(
                .managerNotRunning,
                "the manager was stopped before its run() was called; call it to clean up"
            )
        default: return
        }
    }

    private static var stopped: LeaseError {
        LeaseError(.managerStopped, "the manager is stopping and takes no new requests; use another one")
    }
}
