// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Makes one "process" die at a chosen step: from then on none of its calls goes on.
///
/// Hand ``hook`` to the process's backend. At the armed step the call stays where it is, and so does every later one,
/// until its task is cancelled or ``bury()`` ends them all with ``SimulatedCrash``: a dead process sees no answers. The
/// test waits for ``waitForCrash()``, throws the process away and starts the next one on the same store and target.
public final class CrashPoints: Sendable {
    private struct State: Sendable {
        var armed: [CrashStep: Int] = [:]
        var passed: [CrashStep: Int] = [:]
        var crash: CrashStep?
        var isBuried = false
        var stuck: [UInt64: (CrashStep, CheckedContinuation<Void, any Error>)] = [:]
        var waiters: [CheckedContinuation<CrashStep, Never>] = []
        var sequence: UInt64 = 0
    }

    private let state = Locked(State())

    /// Makes crash points of which none is armed.
    public init() {}

    /// Lets the process die when it comes to `step` for the `occurrence`th time from now.
    public func arm(_ step: CrashStep, occurrence: Int = 1) {
        state.withLock { $0.armed[step] = max(1, occurrence) }
    }

    /// Where the process died, if it did.
    public var crash: CrashStep? { state.withLock { $0.crash } }

    /// How often each step was passed: what a test goes through to crash at every one of them.
    public var passed: [CrashStep: Int] { state.withLock { $0.passed } }

    /// What the backend calls at each step.
    public var hook: @Sendable (CrashStep) async throws -> Void {
        { [self] step in try await reach(step) }
    }

    /// Lets the process die right now: calls stop at their next step.
    public func kill(at step: CrashStep = .beforeIssue) { die(at: step) }

    /// Waits until the process has died, and says where.
    public func waitForCrash() async -> CrashStep {
        await withCheckedContinuation { continuation in
            let crash = state.withLock { state in
                if state.crash == nil { state.waiters.append(continuation) }
                return state.crash
            }
            if let crash { continuation.resume(returning: crash) }
        }
    }

    /// Ends every call that stands still, and every later one, with ``SimulatedCrash``.
    public func bury() {
        let stuck = state.withLock { state in
            state.isBuried = true
            defer { state.stuck = [:] }
            return state.stuck.sorted { $0.key < $1.key }.map(\.value)
        }
        for (step, continuation) in stuck { continuation.resume(throwing: SimulatedCrash(at: step)) }
    }

    private func die(at step: CrashStep) {
        let waiters = state.withLock { state in
            if state.crash == nil { state.crash = step }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: step) }
    }

    private func reach(_ step: CrashStep) async throws {
        let (isFatal, isDead) = state.withLock { state in
            if state.crash != nil { return (false, true) }
            state.passed[step, default: 0] += 1
            guard let left = state.armed[step] else { return (false, false) }
            state.armed[step] = left > 1 ? left - 1 : nil
            return (left == 1, false)
        }
        if isFatal { die(at: step) }
        if isFatal || isDead { try await standStill(at: step) }
    }

    private func standStill(at step: CrashStep) async throws {
        let id = state.withLock { state in
            state.sequence += 1
            return state.sequence
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isBuried || Task.isCancelled { return true }
                    state.stuck[id] = (step, continuation)
                    return false
                }
                if isOver { continuation.resume(throwing: SimulatedCrash(at: step)) }
            }
        } onCancel: {
            let stuck = state.withLock { $0.stuck.removeValue(forKey: id) }
            stuck?.1.resume(throwing: SimulatedCrash(at: step))
        }
    }
}
