// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct VirtualTimeTests {
    /// What one thing that happens does to each clock.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var wall: Duration = .zero
        var continuous: Duration = .zero
        var suspending: Duration = .zero
        var isNewBoot = false
        let act: @Sendable (VirtualTime) async -> Void
    }

    static let cases: [Case] = [
        Case(testDescription: "advance", wall: .seconds(60), continuous: .seconds(60), suspending: .seconds(60)) {
            await $0.advance(by: .seconds(60))
        },
        Case(testDescription: "jump ahead", wall: .seconds(3600)) { $0.jumpWall(by: .seconds(3600)) },
        Case(testDescription: "jump back", wall: .seconds(-7200)) { $0.jumpWall(by: .seconds(-7200)) },
        Case(testDescription: "suspend", wall: .seconds(90), continuous: .seconds(90)) {
            await $0.suspend(for: .seconds(90))
        },
        Case(testDescription: "fast", wall: .seconds(1001), continuous: .seconds(1000), suspending: .seconds(1000)) {
            $0.drift(partsPerMillion: 1000)
            await $0.advance(by: .seconds(1000))
        },
        Case(testDescription: "slow", wall: .seconds(1999), continuous: .seconds(2000), suspending: .seconds(2000)) {
            $0.drift(partsPerMillion: -1000)
            await $0.advance(by: .seconds(1000))
            $0.drift(partsPerMillion: 0)
            await $0.advance(by: .seconds(1000))
        },
        Case(testDescription: "paused", wall: .seconds(5), continuous: .seconds(5), suspending: .seconds(5)) {
            $0.pause()
            await $0.advance(by: .seconds(5))
        },
        Case(testDescription: "twice", wall: .seconds(40), continuous: .seconds(40), suspending: .seconds(10)) {
            await $0.suspend(for: .seconds(10))
            await $0.advance(by: .seconds(10))
            await $0.suspend(for: .seconds(20))
        },
        // The uptime of 500 s is gone, and the 30 s of being down are not on the new boot's clocks.
        Case(
            testDescription: "reboot",
            wall: .seconds(30),
            continuous: .seconds(-500),
            suspending: .seconds(-500),
            isNewBoot: true
        ) { await $0.reboot(downFor: .seconds(30)) },
    ]

    @Test(arguments: cases) func clocksMoveAsTheyShould(_ row: Case) async {
        let time = VirtualTime(uptime: .seconds(500))
        let before = time.read()
        await row.act(time)
        let after = time.read()
        #expect(after.wall - before.wall == row.wall)
        #expect(after.continuous - before.continuous == row.continuous)
        #expect(after.suspending - before.suspending == row.suspending)
        #expect((after.bootID != before.bootID) == row.isNewBoot)
    }

    @Test func sleepersWakeAtTheirVeryDeadlineAndInOrder() async throws {
        let time = VirtualTime(uptime: .seconds(7))
        let (stream, feed) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, seconds) in [30, 10, 20].enumerated() {
                group.addTask {
                    try await time.sleep(for: .seconds(seconds))
                    feed.yield(seconds)
                }
                try await time.waitForSleepers(index + 1)
            }
            #expect(time.nextDeadline == .seconds(17))
            var woken = stream.makeAsyncIterator()
            await time.advance(by: .milliseconds(9_999))
            #expect(time.sleeperCount == 3)
            for (step, expected) in [(Duration.milliseconds(1), 10), (.seconds(10), 20), (.seconds(10), 30)] {
                await time.advance(by: step)
                #expect(await woken.next() == expected)
            }
            #expect(time.nextDeadline == nil)
            try await group.waitForAll()
        }
    }

    @Test func waitingForATimerThenAdvancingNeverMisses() async throws {
        let time = VirtualTime()
        async let subject: Int = {
            for _ in 0..<2_000 { try await time.sleep(for: .seconds(60)) }
            return 2_000
        }()
        for round in 1...2_000 {
            if round.isMultiple(of: 2) {
                try await time.waitUntilArmed(until: .seconds(60 * round))
            } else {
                try await time.waitUntilArmed(within: .seconds(60))
            }
            await time.advance(by: .seconds(60))
        }
        #expect(try await subject == 2_000)
    }

    @Test func cancellationRemovesASleeperAtOnce() async throws {
        let time = VirtualTime()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await time.sleep(for: .seconds(1)) }
                }
            }
            try await time.waitForSleepers(200)
            group.cancelAll()
            #expect(time.sleeperCount == 0, "the handlers ran inside cancelAll")
            try await group.waitForAll()
        }
        #expect(time.nextDeadline == nil)
        #expect(time.read().continuous == .zero)
    }

    @Test func cancellingAWaitForSleepersEndsIt() async throws {
        let time = VirtualTime()
        let task = Task { try await time.waitForSleepers(1) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func aDeadlineThatHasPassedDoesNotSuspend() async throws {
        let time = VirtualTime(uptime: .seconds(10))
        try await time.sleep(until: .seconds(10))
        try await time.sleep(until: .seconds(-5))
        #expect(time.sleeperCount == 0)
    }

    @Test func aSuspendedMachineWakesItsSleepersLate() throws {
        let time = VirtualTime()
        let other = VirtualTime(sharing: time, name: "other")
        // Driven, so that what a woken task reads is read before the time moves on.
        try SeededExecutor(seed: 1, time: time).drive {
            async let early: Duration = {
                try await other.sleep(until: .seconds(10))
                return other.read().continuous
            }()
            async let late: Duration = {
                try await time.sleep(until: .seconds(10))
                return time.read().continuous
            }()
            try await time.waitForSleepers(1)
            try await other.waitForSleepers(1)
            await time.suspend(for: .seconds(100))
            #expect(try await late == .seconds(100), "woken at the resume, not at its deadline")
            #expect(try await early == .seconds(10), "the other machine went on")
        }
        #expect(time.read().suspending == .zero)
        #expect(other.read().suspending == .seconds(100))
    }

    @Test func machinesInOneTrueTimeHaveClocksOfTheirOwn() async {
        let time = VirtualTime(wall: LeaseInstant(secondsSinceEpoch: 1_000))
        await time.advance(by: .seconds(5))
        let ahead = VirtualTime(sharing: time, wallOffset: .seconds(60), uptime: .seconds(9))
        #expect(ahead.wall - time.wall == .seconds(60))
        #expect(ahead.read().bootID != time.read().bootID)
        time.jumpWall(by: .seconds(-10))
        await ahead.advance(by: .seconds(5))
        #expect(time.wall == LeaseInstant(secondsSinceEpoch: 1_000))
        #expect(ahead.wall == LeaseInstant(secondsSinceEpoch: 1_070))
        #expect(ahead.read().continuous == .seconds(14))
        #expect(time.read().continuous == .seconds(10))
    }

    @Test func aStoppedProcessSleepsOnWhileItsMachineRuns() async throws {
        let time = VirtualTime()
        let process = time.process(named: "stopped")
        async let slept: Duration = {
            try await process.sleep(until: .seconds(10))
            return process.read().continuous
        }()
        try await process.waitForSleepers(1)
        process.pause()
        await time.advance(by: .seconds(60))
        #expect(process.sleeperCount == 1)
        #expect(process.read() == time.read())
        process.resume()
        #expect(try await slept == .seconds(60))
    }

    @Test func aRebootCancelsEverySleepOfTheMachine() async throws {
        let time = VirtualTime()
        let process = time.process(named: "second")
        let other = VirtualTime(sharing: time)
        let first = Task { try await time.sleep(for: .seconds(10)) }
        let second = Task { try await process.sleep(for: .seconds(10)) }
        async let third: Void = other.sleep(for: .seconds(10))
        for each in [time, process, other] { try await each.waitForSleepers(1) }
        await time.reboot(downFor: .seconds(5))
        await #expect(throws: CancellationError.self) { try await first.value }
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(other.sleeperCount == 1)
        await time.advance(by: .seconds(5))
        try await third
        #expect(time.read().continuous == .seconds(5))
        #expect(time.read().wall == other.read().wall)
    }

    @Test func manySleepersInRandomOrderWakeSorted() throws {
        let seed = SeededGenerator.seed(or: 17)
        let time = VirtualTime()
        let woken = try SeededExecutor(seed: seed, time: time).drive {
            try await withThrowingTaskGroup(of: Duration?.self) { group in
                var generator = SeededGenerator(seed: seed)
                for index in 0..<2_000 {
                    let delay = generator.duration(upTo: .seconds(1000))
                    group.addTask {
                        if index.isMultiple(of: 3) {
                            // Cancelled half-way: leaves dead entries in the heap.
                            async let _: Void = time.sleep(until: .seconds(5000))
                            try await time.sleep(until: delay)
                            return nil
                        }
                        try await time.sleep(until: delay)
                        return time.read().continuous == delay ? delay : .seconds(-1)
                    }
                }
                return try await group.reduce(into: [Duration]()) { if let delay = $1 { $0.append(delay) } }
            }
        }
        #expect(woken == woken.sorted(), "seed \(seed)")
        #expect(woken.first != .seconds(-1), "seed \(seed)")
        #expect(time.sleeperCount == 0)
        #expect(time.read().continuous <= .seconds(1000))
    }
}
