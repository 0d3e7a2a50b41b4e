// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite(.timeLimit(.minutes(5))) struct AlarmTests {
    private let time = VirtualTime()
    private let alarm = Alarm()

    @Test func itGoesOffAtItsDeadline() async throws {
        async let waiting: Void = alarm.wait(until: .seconds(9), time)
        try await time.waitUntilArmed(until: .seconds(9))
        await time.advance(by: .seconds(9))
        await waiting
        #expect(time.read().continuous == .seconds(9))
    }

    @Test func ringingCutsTheSleepShort() async throws {
        async let waiting: Void = alarm.wait(until: .seconds(9), time)
        try await time.waitForSleepers(1)
        alarm.ring()
        await waiting
        #expect(time.read().continuous == .zero)
        #expect(time.sleeperCount == 0)
    }

    @Test func ringingBeforeTheSleepIsNotLost() async {
        alarm.arm(until: .seconds(9))
        alarm.ring()
        await alarm.wait(until: .seconds(9), time)
        #expect(time.read().continuous == .zero)
    }

    @Test func aRingIsUsedUp() async throws {
        alarm.ring()
        await alarm.wait(until: .seconds(9), time)
        async let waiting: Void = alarm.wait(until: .seconds(9), time)
        try await time.waitUntilArmed(until: .seconds(9))
        await time.advance(by: .seconds(9))
        await waiting
        #expect(time.read().continuous == .seconds(9))
    }

    @Test func earlierNewsWakesTheSleeper() async throws {
        async let waiting: Void = alarm.wait(until: .seconds(9), time)
        try await time.waitForSleepers(1)
        alarm.ring(ifLaterThan: .seconds(3))
        await waiting
        #expect(time.read().continuous == .zero)
    }

    @Test(arguments: [9, 10, 1_000])
    func laterNewsLetsItSleep(seconds: Int) async throws {
        async let waiting: Void = alarm.wait(until: .seconds(9), time)
        try await time.waitUntilArmed(until: .seconds(9))
        alarm.ring(ifLaterThan: .seconds(seconds))
        #expect(time.sleeperCount == 1)
        await time.advance(by: .seconds(9))
        await waiting
        #expect(time.read().continuous == .seconds(9))
    }

    @Test func newsWhileReadingIsNotLost() async {
        // Armed, then something new comes while the store is read, then the wait.
        alarm.arm(until: .seconds(Int64.max / 4))
        alarm.ring(ifLaterThan: .seconds(5))
        await alarm.wait(until: .seconds(9), time)
        #expect(time.read().continuous == .zero)
    }

    @Test func manyRingsFromManyTasksWakeEverySleep() async {
        await withTaskGroup(of: Void.self) { group in
            let count = Locked(0)
            group.addTask { [alarm, time] in
                while count.withLock({ $0 }) < 200 { await alarm.wait(until: .seconds(9), time) }
            }
            for _ in 0..<200 {
                group.addTask { [alarm] in
                    count.withLock { $0 += 1 }
                    alarm.ring()
                }
            }
        }
        #expect(time.read().continuous == .zero)
    }
}
