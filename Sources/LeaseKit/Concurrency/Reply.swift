// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// An answer that one side will give and the other waits for, but no longer than it likes.
///
/// Whoever waits can go away (cancelled, out of time) without disturbing the work. Whoever answers learns whether
/// anybody was still there to take the answer.
final class Reply<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value, any Error>)
        case answered(Result<Value, any Error>)
        case closed
    }

    private let state = Locked(State.open)

    /// Whether the waiting side is gone.
    var isAbandoned: Bool {
        state.withLock { if case .closed = $0 { true } else { false } }
    }

    /// Gives the answer; false when nobody is there to take it.
    @discardableResult
    func deliver(_ result: Result<Value, any Error>) -> Bool {
        let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .answered(result)
                return nil
            case .waiting(let continuation):
                state = .closed
                return continuation
            case .answered, .closed:
                return nil
            }
        }
        if let waiter {
            waiter.resume(with: result)
            return true
        }
        return state.withLock { if case .answered = $0 { true } else { false } }
    }

    /// Waits for the answer until the continuous clock shows `deadline`; nil when it did not come in time.
    ///
    /// Throws `CancellationError` at once when the task is cancelled, and what the other side delivered.
    func value(until deadline: Duration, _ time: any LeaseTime) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await self.wait() }
            group.addTask {
                try await time.sleep(until: deadline)
                return nil
            }
            defer {
                group.cancelAll()
                close()
            }
            return try await group.next() ?? nil
        }
    }

    /// Waits for the answer, however long it takes, and whatever happens to the task.
    func valueWhateverHappens() async throws -> Value {
        try await withCheckedThrowingContinuation { install($0) }
    }

    private func wait() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { install($0) }
        } onCancel: {
            abandon()
        }
    }

    private func install(_ continuation: CheckedContinuation<Value, any Error>) {
        let ready: Result<Value, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .waiting(continuation)
                return nil
            case .answered(let result):
                state = .closed
                return result
            case .waiting, .closed:
                return .failure(CancellationError())
            }
        }
        if let ready { continuation.resume(with: ready) }
    }

    private func abandon() {
        let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
            guard case .waiting(let continuation) = state else {
                if case .open = state { state = .closed }
                return nil
            }
            state = .closed
            return continuation
        }
        waiter?.resume(throwing: CancellationError())
    }

    /// Closes an answered reply whose answer was not taken, so that the other side's work can be undone.
    private func close() {
        state.withLock { if case .open = $0 { $0 = .closed } }
    }
}
