// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The mailbox of `run()`: work goes in from anywhere and becomes a child task of it.
final class WorkQueue: Sendable {
    typealias Job = @Sendable () async -> Void

    private struct State {
        var jobs: [Job] = []
        var isClosed = false
        var consumer: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Locked(State())

    /// - Parameter limit: How many jobs may wait. Each call to a backend holds a place at its mount before it gets here, so that
    ///   only a `run()` that does not come along lets so many pile up.
    init(limit: Int = 65_536) { self.limit = limit }

    /// Hands a job to `run()`; false when it takes no more, for now or for good.
    @discardableResult
    func submit(_ job: @escaping Job) -> Bool {
        let (accepted, consumer): (Bool, CheckedContinuation<Void, Never>?) = state.withLock { state in
            if state.isClosed || state.jobs.count >= limit { return (false, nil) }
            state.jobs.append(job)
            defer { state.consumer = nil }
            return (true, state.consumer)
        }
        consumer?.resume()
        return accepted
    }

    /// Takes no more jobs; what is in the queue is still handed out.
    func close() {
        let consumer = state.withLock { state in
            state.isClosed = true
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume()
    }

    /// The next jobs, all at once; nil after the last one.
    ///
    /// For one consumer, who is never cancelled.
    func next() async -> [Job]? {
        while true {
            let (jobs, isClosed): ([Job], Bool) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isClosed)
            }
            if !jobs.isEmpty { return jobs }
            if isClosed { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.jobs.isEmpty || state.isClosed { return true }
                    state.consumer = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
