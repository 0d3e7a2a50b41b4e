// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Runs tasks on the one thread that drives it, and picks each next job by a seeded generator: same seed, same run.
///
/// Everything that a simulation does runs below ``drive(timeLimit:checking:_:)``. Child tasks, task groups,
/// `async let`, default actors and nonisolated functions inherit the executor; detached tasks
/// escape to the global pool, which is noticed as soon as they wake something here. Do not rely on `Task { }` either.
///
/// When no job is ready, first those who wait in ``settle()`` go on, then the attached ``VirtualTime`` moves to the
/// next sleeper. So an hour of virtual time costs what happens in it.
public final class SeededExecutor: TaskExecutor {
    struct State: Sendable {
        var generator: SeededGenerator
        var ready: [UnownedJob] = []
        var settlers: [CheckedContinuation<Void, Never>] = []
        var driver: ThreadID?
        var foreign: [String] = []
        var isFailing = false
        var picks = 0
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325

        mutating func mix(_ value: UInt64) {
            // FNV-1a over whole words, with a shift so that high bits come down too.
            hash = (hash ^ value) &* 0x100_0000_01b3
            hash ^= hash >> 29
        }

        mutating func pick() -> UnownedJob? {
            guard !ready.isEmpty else { return nil }
            let index = generator.index(below: ready.count)
            picks += 1
            mix(UInt64(index) << 32 | UInt64(ready.count))
            ready.swapAt(index, ready.count - 1)
            return ready.removeLast()
        }
    }

    let state: Locked<State>
    /// The seed of the run.
    public let seed: UInt64
    /// The time that moves when nothing else can run.
    public let time: VirtualTime?
    /// How many jobs a run may take before it counts as endless.
    public let maximumPicks: Int

    /// Makes an executor for one run or several in a row.
    public init(seed: UInt64, time: VirtualTime? = nil, maximumPicks: Int = 50_000_000) {
        self.seed = seed
        self.time = time
        self.maximumPicks = maximumPicks
        state = Locked(State(generator: SeededGenerator(seed: seed)))
    }

    /// Takes a job; the runtime calls this.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let thread = ThreadID.current
        state.withLock { state in
            if let driver = state.driver, driver != thread {
                state.foreign.append("\(job)")
            }
            state.ready.append(job)
        }
    }

    /// How many jobs have run.
    public var picks: Int { state.withLock { $0.picks } }
    /// A hash over every choice that was made: equal for equal runs.
    public var traceHash: UInt64 { state.withLock { $0.hash } }
    /// Jobs that came from another thread during a run.
    ///
    /// Such a run does not replay, and fails.
    public var foreignJobs: [String] { state.withLock { $0.foreign } }

    /// Whether a run has failed, and what it left behind is on its way out.
    var isFailing: Bool { state.withLock { $0.isFailing } }

    /// Mixes something that happened into ``traceHash``, so that runs that differ in it differ in the hash.
    public func note(_ value: UInt64) {
        state.withLock { $0.mix(value) }
    }

    /// A generator of its own for a part of the simulation, drawn from this executor's.
    public func makeGenerator() -> SeededGenerator {
        state.withLock { $0.generator.split() }
    }

    /// Waits until no other job is ready, without letting the time move.
    public func settle() async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.settlers.append(continuation) }
        }
    }
}
