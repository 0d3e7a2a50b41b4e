// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Synchronization
import Testing

@Suite struct SeededExecutorTests {
    /// A small run in which the order of picks shows in the result.
    private func shuffle(seed: UInt64, tasks: Int = 40) throws -> (order: [Int], hash: UInt64) {
        let executor = SeededExecutor(seed: seed)
        let order = try executor.drive {
            await withTaskGroup(of: Int.self) { group in
                for index in 0..<tasks {
                    group.addTask {
                        await Task.yield()
                        return index
                    }
                }
                return await group.reduce(into: [Int]()) { $0.append($1) }
            }
        }
        return (order, executor.traceHash)
    }

    @Test(arguments: [1, 2, 3, SeededGenerator.seed(or: 99)] as [UInt64])
    func sameSeedSameRun(seed: UInt64) throws {
        let first = try shuffle(seed: seed)
        let second = try shuffle(seed: seed)
        #expect(first.order == second.order, "seed \(seed)")
        #expect(first.hash == second.hash, "seed \(seed)")
        let other = try shuffle(seed: seed &+ 1)
        #expect(first.order != other.order, "seed \(seed)")
        #expect(first.hash != other.hash, "seed \(seed)")
    }

    private actor Counter {
        var count = 0
        func add() async {
            await Task.yield()
            count += 1
        }
    }

    nonisolated(nonsending) private func plain(_ counter: Counter) async { await counter.add() }
    @concurrent private func concurrent(_ counter: Counter) async { await counter.add() }

    @Test func everyKindOfChildInheritsTheExecutor() throws {
        let executor = SeededExecutor(seed: 7, time: VirtualTime())
        let (this, counter) = (self, Counter())
        let count = try executor.drive {
            async let bound: Void = counter.add()
            await withDiscardingTaskGroup { group in
                group.addTask { await this.plain(counter) }
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        inner.addTask { await this.concurrent(counter) }
                    }
                }
            }
            await bound
            let (stream, feed) = AsyncStream.makeStream(of: Int.self)
            async let fed: Void = { for await _ in stream { await counter.add() } }()
            feed.yield(1)
            feed.finish()
            await fed
            return await counter.count
        }
        #expect(count == 4)
        #expect(executor.foreignJobs == [])
    }

    @Test func jobFromAnotherThreadFailsTheRun() throws {
        let executor = SeededExecutor(seed: 7)
        #expect {
            try executor.drive {
                // Woken from a thread of its own: those of the global pool may all be busy with other tests.
                async let waiting: Int = withCheckedContinuation { continuation in
                    Thread.detachNewThread { continuation.resume(returning: 1) }
                }
                while !Task.isCancelled { await Task.yield() }
                _ = await waiting
            }
        } throws: { error in
            guard case .foreignJobs(let jobs, seed: 7)? = error as? SimulationError else { return false }
            return !jobs.isEmpty && "\(error)".contains("seed 7")
        }
        #expect(!executor.foreignJobs.isEmpty)
    }

    @Test func deadlockNamesWhoSleeps() throws {
        let time = VirtualTime(name: "clock")
        let stopped = time.process(named: "stopped")
        stopped.pause()
        let executor = SeededExecutor(seed: 3, time: time)
        #expect(throws: SimulationError.deadlock(sleepers: ["stopped until 5.0 seconds (stopped)"], seed: 3)) {
            try executor.drive { try await stopped.sleep(until: .seconds(5)) }
        }
        #expect(stopped.sleeperCount == 0, "the failed run was cancelled")
        #expect(throws: SimulationError.deadlock(sleepers: [], seed: 3)) {
            try executor.drive { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
        }
    }

    @Test func timeMovesWhenNothingElseCanRun() throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 4, time: time)
        let wakes = try executor.drive {
            try await withThrowingTaskGroup(of: Duration.self) { group in
                for second in [30, 10, 20] {
                    group.addTask {
                        try await time.sleep(for: .seconds(second))
                        return time.read().continuous
                    }
                }
                return try await group.reduce(into: [Duration]()) { $0.append($1) }
            }
        }
        #expect(wakes == [.seconds(10), .seconds(20), .seconds(30)])
    }

    @Test func advanceLetsEverythingHappenBetweenTwoSteps() throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 5, time: time)
        let ticks = try executor.drive {
            try await withThrowingTaskGroup(of: [Duration].self) { group in
                group.addTask {
                    var seen: [Duration] = []
                    for _ in 0..<5 {
                        try await time.sleep(for: .seconds(1))
                        await Task.yield()
                        seen.append(time.read().continuous)
                    }
                    return seen
                }
                await time.advance(by: .seconds(100))
                return try await group.next() ?? []
            }
        }
        #expect(ticks == (1...5).map { .seconds($0) })
        #expect(time.read().continuous == .seconds(100))
    }

    @Test func limitsEndARunThatDoesNot() throws {
        let time = VirtualTime()
        #expect(throws: SimulationError.tooManyPicks(1000, seed: 1)) {
            try SeededExecutor(seed: 1, maximumPicks: 1000).drive {
                while !Task.isCancelled { await Task.yield() }
            }
        }
        #expect {
            try SeededExecutor(seed: 1, time: time).drive(timeLimit: .seconds(10)) {
                while true { try await time.sleep(for: .seconds(3)) }
            }
        } throws: { error in
            if case .timeLimit(.seconds(10), _, 1)? = error as? SimulationError { true } else { false }
        }
    }

    private struct Broken: Error {}

    @Test func anInvariantIsCheckedAtEveryStepAndEndsTheRun() throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 1, time: time)
        #expect(throws: Broken.self) {
            let check: @Sendable () throws -> Void = {
                if time.read().continuous > .seconds(5) { throw Broken() }
            }
            try executor.drive(checking: check) {
                while true { try await time.sleep(for: .seconds(1)) }
            }
        }
        #expect(time.read().continuous == .seconds(6))
        #expect(time.sleeperCount == 0, "the run was cancelled")
    }

    @Test func aRunInsideARunIsRefused() throws {
        let executor = SeededExecutor(seed: 1)
        #expect(throws: SimulationError.alreadyDriving) {
            try executor.drive { try executor.runUntilIdle() }
        }
    }

    @Test func runsUntilAConditionHolds() throws {
        let executor = SeededExecutor(seed: 1)
        let counter = Counter()
        let done = Flag()
        Task(executorPreference: executor) {
            await counter.add()
            done.raise()
        }
        #expect(!done.isRaised)
        try executor.run { done.isRaised }
        #expect(done.isRaised)
        #expect(throws: SimulationError.self) { try executor.run { false } }
    }

    private final class Flag: Sendable {
        private let raised = Atomic(false)
        var isRaised: Bool { raised.load(ordering: .acquiring) }
        func raise() { raised.store(true, ordering: .releasing) }
    }

    @Test func tenThousandTasksAreFast() throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 11, time: time)
        let started = ContinuousClock.now
        let sum = try executor.drive {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<10_000 {
                    group.addTask {
                        try await time.sleep(for: .milliseconds(index % 500))
                        await Task.yield()
                        return 1
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(sum == 10_000)
        #expect(executor.picks >= 20_000)
        #expect(started.duration(to: .now) < .seconds(20))
    }

    @Test func generatorIsUniformEnoughAndSplits() {
        let seed = SeededGenerator.seed(or: 42)
        var generator = SeededGenerator(seed: seed)
        let counts = (0..<10_000).reduce(into: [Int](repeating: 0, count: 10)) { counts, _ in
            counts[generator.index(below: 10)] += 1
        }
        #expect(counts.allSatisfy { (800...1200).contains($0) }, "seed \(seed)")
        var part = generator.split()
        #expect(part.next() != generator.next())
        let (one, two) = (LeaseEntropy.seeded(5), LeaseEntropy.seeded(5))
        #expect((0..<4).map { _ in one.next() } == (0..<4).map { _ in two.next() })
    }
}
