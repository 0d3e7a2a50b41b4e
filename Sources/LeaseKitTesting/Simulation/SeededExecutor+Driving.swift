// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension SeededExecutor {
    /// Runs `body` to its end on the calling thread, and everything that it starts.
    ///
    /// The call blocks its thread, so make it from a synchronous test. `timeLimit` bounds the virtual time. A run that
    /// fails is cancelled, and whatever then still comes to an end does, before the error is thrown.
    ///
    /// `checking` is called after every job and every move of the time: the place to hold the world against its
    /// invariants. What it throws ends the run.
    ///
    /// - Throws: what `body` or `checking` throws, or ``SimulationError``.
    public func drive<Result: Sendable>(
        timeLimit: Duration? = nil,
        checking check: (@Sendable () throws -> Void)? = nil,
        _ body: @escaping @Sendable () async throws -> Result
    ) throws -> Result {
        try begin()
        defer { end() }
        let outcome = Locked<Swift.Result<Result, any Error>?>(nil)
        let root = Task(executorPreference: self) {
            do {
                let value = try await body()
                outcome.withLock { $0 = .success(value) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        do {
            try loop(timeLimit: timeLimit, checking: check) { outcome.withLock { $0 != nil } }
            // What was started and not waited for goes as far as it can without the time moving.
            try drain(checking: check)
        } catch {
            // What came from elsewhere is on record; do not let it keep the rest from ending.
            state.withLock { $0.isFailing = true }
            root.cancel()
            try? loop(timeLimit: .zero, maximumPicks: 100_000) { outcome.withLock { $0 != nil } }
            throw error
        }
        guard let outcome = outcome.withLock({ $0 }) else { throw deadlock() }
        return try outcome.get()
    }

    /// Runs jobs until `isDone` says so; moves the time when none is ready.
    ///
    /// - Throws: ``SimulationError``, also when nothing is left to run before `isDone`.
    public func run(timeLimit: Duration? = nil, until isDone: @Sendable () -> Bool) throws {
        try begin()
        defer { end() }
        try loop(timeLimit: timeLimit, until: isDone)
    }

    /// Runs jobs until none is ready; the time stays where it is.
    ///
    /// - Throws: ``SimulationError``.
    public func runUntilIdle() throws {
        try begin()
        defer { end() }
        try drain()
    }

    private func begin() throws {
        let thread = ThreadID.current
        let isFree = state.withLock { state in
            guard state.driver == nil else { return false }
            state.driver = thread
            state.isFailing = false
            return true
        }
        guard isFree else { throw SimulationError.alreadyDriving }
        time?.line.settler.withLock { $0.settle = { [weak self] in await self?.settle() } }
    }

    private func end() {
        time?.line.settler.withLock { $0.settle = nil }
        state.withLock { $0.driver = nil }
    }

    private func drain(checking check: (@Sendable () throws -> Void)? = nil) throws {
        while try runOne(maximumPicks) || wakeSettler() { try check?() }
    }

    private func loop(
        timeLimit: Duration?,
        maximumPicks: Int? = nil,
        checking check: (@Sendable () throws -> Void)? = nil,
        until isDone: () -> Bool
    ) throws {
        let allowed = maximumPicks.map { $0 + picks } ?? self.maximumPicks
        let start = time?.line.now ?? .zero
        while !isDone() {
            if try runOne(allowed) || wakeSettler() {
                try check?()
                continue
            }
            guard let line = time?.line else { throw deadlock() }
            if line.step(until: timeLimit.map { start + $0 }) {
                note(UInt64(bitPattern: line.now.saturatingNanoseconds))
                try check?()
                continue
            }
            guard let timeLimit, line.state.withLock({ $0.nextWake }) != nil else { throw deadlock() }
            throw SimulationError.timeLimit(timeLimit, sleepers: line.sleepers, seed: seed)
        }
    }

    /// Runs one job; false when none is ready.
    private func runOne(_ maximumPicks: Int) throws -> Bool {
        let (job, foreign, picks) = state.withLock { state in
            state.foreign.isEmpty || state.isFailing
                ? (state.pick(), [], state.picks) : (nil, state.foreign, state.picks)
        }
        if !foreign.isEmpty { throw SimulationError.foreignJobs(foreign, seed: seed) }
        guard let job else { return false }
        if picks > maximumPicks {
            state.withLock { $0.ready.append(job) }
            throw SimulationError.tooManyPicks(maximumPicks, seed: seed)
        }
        job.runSynchronously(on: asUnownedTaskExecutor())
        return true
    }

    /// Lets one of those go on who wait until nothing else can run.
    private func wakeSettler() -> Bool {
        let settler = state.withLock { state in
            state.settlers.isEmpty ? nil : state.settlers.removeFirst()
        }
        settler?.resume()
        return settler != nil
    }

    private func deadlock() -> SimulationError {
        .deadlock(sleepers: time?.line.sleepers ?? [], seed: seed)
    }
}
