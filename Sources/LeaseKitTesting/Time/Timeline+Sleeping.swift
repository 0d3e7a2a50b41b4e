// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension Timeline {
    /// A test that waits until its subject sleeps.
    struct Waiter: Sendable {
        enum Condition: Sendable {
            case count(Int)
            case exactly(Duration)
            case atLatest(Duration)
        }

        let sequence: UInt64
        let process: Int
        let condition: Condition
        let continuation: CheckedContinuation<Void, any Error>
    }

    func addMachine(
        wall: @Sendable (State) -> LeaseInstant,
        uptime: Duration,
        name: String
    ) -> (process: Int, machine: Int) {
        state.withLock { state in
            let now = state.now
            let machine = Machine(
                bootID: state.newBootID(),
                bootedAt: now - uptime,
                wall: wall(state),
                anchor: now
            )
            state.machines.append(machine)
            state.processes.append(Process(name: name, machine: state.machines.count - 1))
            return (state.processes.count - 1, state.machines.count - 1)
        }
    }

    func isOver(_ deadline: Duration, process: Int) -> Bool {
        state.withLock { state in
            let machine = state.machines[state.processes[process].machine]
            return state.isAwake(process) && deadline + machine.bootedAt <= state.now
        }
    }

    /// Puts a sleeper down, unless its task was cancelled or its time has come in between.
    ///
    /// A task's cancelled flag is set before its handler runs, and both this and the handler take the lock: whoever
    /// comes second sees the other.
    func insert(
        _ continuation: SleeperQueue.Continuation,
        until deadline: Duration,
        process: Int,
        sequence: UInt64
    ) {
        let outcome: (now: Result<Void, CancellationError>?, armed: [Waiter]) = state.withLock { state in
            if Task.isCancelled { return (.failure(CancellationError()), []) }
            let trueDeadline = deadline + state.machines[state.processes[process].machine].bootedAt
            if state.isAwake(process), trueDeadline <= state.now { return (.success(()), []) }
            state.processes[process].sleepers.insert(continuation, at: trueDeadline, sequence: sequence)
            let armed = state.waiters.filter { state.isMet($0.condition, process: $0.process) }
            if !armed.isEmpty {
                state.waiters.removeAll { waiter in armed.contains { $0.sequence == waiter.sequence } }
            }
            return (nil, armed)
        }
        switch outcome.now {
        case .success?: continuation.resume()
        case .failure(let error)?: continuation.resume(throwing: error)
        case nil: break
        }
        for waiter in outcome.armed { waiter.continuation.resume() }
    }

    func cancel(_ sequence: UInt64, process: Int) {
        let sleeper = state.withLock { $0.processes[process].sleepers.remove(sequence) }
        sleeper?.resume(throwing: CancellationError())
    }

    /// Waits until a condition on a process's sleepers is met.
    func wait(process: Int, for condition: @Sendable (State) -> Waiter.Condition) async throws {
        try Task.checkCancellation()
        let (sequence, condition) = state.withLock { ($0.draw(), condition($0)) }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, CancellationError>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.isMet(condition, process: process) { return .success(()) }
                    let waiter = Waiter(
                        sequence: sequence,
                        process: process,
                        condition: condition,
                        continuation: continuation
                    )
                    state.waiters.append(waiter)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome.mapError { $0 as any Error }) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                guard let index = state.waiters.firstIndex(where: { $0.sequence == sequence }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Who sleeps, for an error message.
    var sleepers: [String] {
        state.withLock { state in
            state.processes.indices.flatMap { index in
                let process = state.processes[index]
                let machine = state.machines[process.machine]
                let why = process.isPaused ? " (stopped)" : machine.stoppedAt != nil ? " (suspended)" : ""
                return process.sleepers.deadlines.map { "\(process.name) until \($0 - machine.bootedAt)\(why)" }
            }
        }
    }
}

extension Timeline.State {
    func isMet(_ condition: Timeline.Waiter.Condition, process: Int) -> Bool {
        let sleepers = processes[process].sleepers
        switch condition {
        case .count(let count): return sleepers.count >= count
        case .exactly(let deadline): return sleepers.contains(deadline: deadline)
        case .atLatest(let deadline): return sleepers.first.map { $0.deadline <= deadline } ?? false
        }
    }
}
