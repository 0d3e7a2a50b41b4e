// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Whether a simulated process goes on, stands still, or is dead.
///
/// Everything that a process has to do with the world passes here: a stopped one waits, a dead one never comes back. When
/// the run is over the dead are buried: what still stands there ends with ``SimulatedCrash``, so that nothing leaks.
final class ProcessLife: Sendable {
    enum Phase: Sendable { case running, paused, dead, buried }

    private struct State: Sendable {
        var phase = Phase.running
        var waiting: [CheckedContinuation<Void, any Error>] = []
        /// The step at which it dies, and what happens then.
        var fatal: (step: String, die: @Sendable () -> Void)?
    }

    private let state = Locked(State())

    var phase: Phase { state.withLock { $0.phase } }
    var isDead: Bool { phase == .dead || phase == .buried }

    /// Goes on at once, later, or never.
    func pass() async throws {
        switch phase {
        case .running: return
        case .buried: throw SimulatedCrash(at: .beforeIssue)
        case .paused, .dead: break
        }
        try await withCheckedThrowingContinuation { continuation in
            let verdict: Result<Void, any Error>? = state.withLock { state in
                switch state.phase {
                case .running: return .success(())
                case .buried: return .failure(SimulatedCrash(at: .beforeIssue))
                case .paused, .dead:
                    state.waiting.append(continuation)
                    return nil
                }
            }
            if let verdict { continuation.resume(with: verdict) }
        }
    }

    /// Has the process die at a step of its work, by calling `die`; in place of an earlier choice.
    func arm(_ step: String, _ die: @escaping @Sendable () -> Void) {
        state.withLock { $0.fatal = (step, die) }
    }

    /// Lets the process live.
    func disarm() { state.withLock { $0.fatal = nil } }

    /// Comes to a step of its work: goes on at once, later, or never.
    func reach(_ step: String) async throws {
        let die: (@Sendable () -> Void)? = state.withLock { state in
            guard state.fatal?.step == step, state.phase == .running else { return nil }
            defer { state.fatal = nil }
            return state.fatal?.die
        }
        die?()
        try await pass()
    }

    func pause() { state.withLock { if $0.phase == .running { $0.phase = .paused } } }

    func resume() {
        let waiting = state.withLock { state in
            guard state.phase == .paused else { return [CheckedContinuation<Void, any Error>]() }
            state.phase = .running
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func die() { state.withLock { if $0.phase != .buried { $0.phase = .dead } } }

    func bury() {
        let waiting = state.withLock { state in
            state.phase = .buried
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(throwing: SimulatedCrash(at: .beforeIssue)) }
    }
}
