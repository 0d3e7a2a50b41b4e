// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// An answer that one side will give and the other waits for, but no longer than it likes.
///
/// Whoever waits can go away (cancelled, out of time) without disturbing the work. Whoever answers learns whether
/// anybody was still there to take the answer: an answer is taken exactly once or not at all.
final class Reply<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value?, any Error>)
        case answered(Result<Value, any Error>)
        case closed
    }

    private let state = Locked(State.open)

    /// Whether the waiting side is gone.
    var isAbandoned: Bool {
        state.withLock { if case .closed = $0 { true } else { false } }
    }

    /// Gives the answer; false when nobody is there to take it.
    ///
    /// Never put where it is used, as little as ``Alarm/ring()``.
    @inline(never)
    @discardableResult
    func deliver(_ result: Result<Value, any Error>) -> Bool {
        let (isTaken, waiter): (Bool, CheckedContinuation<Value?, any Error>?) = state.withLock { state in
            switch state {
            case .open:
                state = .answered(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .closed
                return (true, continuation)
            case .answered, .closed:
                return (false, nil)
            }
        }
        waiter?.resume(with: result.map { $0 })
        return isTaken
    }

    /// Waits for the answer until the continuous clock shows `deadline`; nil when it did not come in time.
    ///
    /// Throws `CancellationError` at once when the task is cancelled, and what the other side delivered.
    func value(until deadline: Duration, _ time: any LeaseTime) async throws -> Value? {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await time.sleep(until: deadline)
                self.close(.success(nil))
            }
            defer { group.cancelAll() }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { install($0) }
            } onCancel: {
                close(.failure(CancellationError()))
            }
        }
    }

    /// The same for calls that are made often, by one timer for all of them.
    func value(until deadline: Duration, _ deadlines: Deadlines) async throws -> Value? {
        let ticket = deadlines.add(deadline) { self.close(.success(nil)) }
        defer { deadlines.remove(ticket) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { install($0) }
        } onCancel: {
            close(.failure(CancellationError()))
        }
    }

    /// Waits for the answer, however long it takes; throws `CancellationError` at once when the task is cancelled.
    func value() async throws -> Value {
        let value: Value? = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { install($0) }
        } onCancel: {
            close(.failure(CancellationError()))
        }
        guard let value else { throw CancellationError() }
        return value
    }

    /// Waits for the answer, however long it takes, and whatever happens to the task.
    func valueWhateverHappens() async throws -> Value {
        let value: Value? = try await withCheckedThrowingContinuation { install($0) }
        guard let value else { throw CancellationError() }
        return value
    }

    private func install(_ continuation: CheckedContinuation<Value?, any Error>) {
        let ready: Result<Value?, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .waiting(continuation)
                return nil
            case .answered(let result):
                state = .closed
                return result.map { $0 }
            case .waiting, .closed:
                return .failure(CancellationError())
            }
        }
        if let ready { continuation.resume(with: ready) }
    }

    /// The waiting side goes away.
    ///
    /// An answer that was given before is still taken.
    private func close(_ result: Result<Value?, any Error>) {
        let waiter: CheckedContinuation<Value?, any Error>? = state.withLock { state in
            switch state {
            case .waiting(let continuation):
                state = .closed
                return continuation
            case .open:
                state = .closed
                return nil
            case .answered, .closed:
                return nil
            }
        }
        waiter?.resume(with: result)
    }
}
