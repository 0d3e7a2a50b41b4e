// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where the manager stands: not run yet, running, stopping, stopped.
final class Lifecycle: Sendable {
    enum Phase: Sendable { case idle, running, stopping, stopped }

    private struct State {
        var phase = Phase.idle
        var hasRun = false
        var waiters: [Reply<Void>] = []
        var demands = 0
    }

    private let state = Locked(State())

    var phase: Phase { state.withLock { $0.phase } }

    /// Enters `running`; throws when it was entered before.
    func begin() throws {
        let waiters = try state.withLock { state throws(LeaseError) in
            switch state.phase {
            case .idle: state.phase = .running
            // Told to stop before it was run: what was issued meanwhile is still cleaned up.
            case .stopping where !state.hasRun: break
            case .running: throw LeaseError(.alreadyRunning, "run() is running already; call it once")
            case .stopping, .stopped:
                throw LeaseError(.managerStopped, "this manager has been stopped; make a new one on the same store")
            }
            state.hasRun = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.deliver(.success(())) }
    }

    /// Begins to stop; true for the first call.
    ///
    /// Before `run()` it is remembered, and a later `run()` only cleans up.
    func beginStopping() -> Bool {
        let (isFirst, waiters): (Bool, [Reply<Void>]) = state.withLock { state in
            guard state.phase == .idle || state.phase == .running else { return (false, []) }
            state.phase = .stopping
            defer { state.waiters = [] }
            return (true, state.waiters)
        }
        for waiter in waiters { waiter.deliver(.failure(Self.stopped)) }
        return isFirst
    }

    /// Ends it all; true for the first call.
    func finish() -> Bool {
        state.withLock { state in
            defer { state.phase = .stopped }
            return state.phase != .stopped
        }
    }

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
    func requireRunning(within limit: Duration, _ time: any LeaseTime) async throws {
        let reply: Reply<Void>? = try state.withLock { state throws(LeaseError) in
            switch state.phase {
            case .running: return nil
            case .stopping, .stopped: throw Self.stopped
            case .idle:
                let reply = Reply<Void>()
                state.waiters.removeAll { $0.isAbandoned }
                state.waiters.append(reply)
                return reply
            }
        }
        guard let reply else { return }
        if try await reply.value(until: time.read().continuous + limit, time) == nil {
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
