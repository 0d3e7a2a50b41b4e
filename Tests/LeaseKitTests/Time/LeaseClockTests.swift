// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

/// The machine's own clock is read without asking the judge; it has to say the same.
@Suite("Lease clock") struct LeaseClockTests {
    private func instant(_ seconds: Int64) -> LeaseInstant { LeaseInstant(secondsSinceEpoch: seconds) }

    @Test func timeFollowsWhoSettlesIt() {
        let clock = LeaseClock(SystemTime())
        for seconds in [1_000, 2_000_000_000, 500] as [Int64] {
            clock.settle(to: instant(seconds))
            let moment = clock.moment()
            #expect(moment.now >= instant(seconds))
            #expect(moment.now < instant(seconds) + .seconds(60), "\(moment.now)")
            #expect(clock.now >= moment.now)
        }
    }

    @Test func timeFollowsAStoreThatKnowsIt() {
        let clock = LeaseClock(SystemTime())
        let asked = clock.moment().continuous
        clock.follow(instant(4_000), asked: asked, isFirst: true)
        #expect(clock.now >= instant(4_000))
        #expect(clock.now < instant(4_000) + .seconds(60))
    }

    @Test func timeStartsWhereAStoreHasSeenIt() {
        let system = SystemTime()
        let reading = system.read()
        let clock = LeaseClock(system)
        let seen = ObservedTime(time: reading.wall + .seconds(3_600), bootID: "another", continuous: .zero)
        #expect(clock.start(from: seen) != nil)
        #expect(clock.now >= seen.time)
        #expect(clock.now < seen.time + .seconds(60))
    }

    /// What is nowhere near a real time stays what it is.
    @Test func theEndOfTimeStaysThere() {
        let clock = LeaseClock(SystemTime())
        clock.settle(to: .distantFuture)
        #expect(clock.now == .distantFuture)
        clock.settle(to: instant(77))
        #expect(clock.now < instant(77) + .seconds(60))
    }

    @Test func theOffsetSaysWhatTheJudgeSays() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let start = TimeReading(
                wall: instant(Int64(random.index(below: 4_000_000_000))),
                continuous: random.duration(upTo: .seconds(10_000_000)),
                suspending: .zero,
                bootID: "boot"
            )
            var judge = ClockJudge(start, observed: nil)
            var reading = start
            reading.continuous += random.duration(upTo: .seconds(1_000_000))
            if random.chance(0.5) { judge.settle(to: instant(Int64(random.index(below: 4_000_000_000))), at: reading) }
            reading.continuous += random.duration(upTo: .seconds(1_000_000))
            let offset = judge.offset
            #expect(offset != nil, "LEASEKIT_SEED=\(seed)")
            let told = reading.continuous.saturatingNanoseconds + (offset ?? 0)
            #expect(judge.now(reading) == LeaseInstant(nanosecondsSinceEpoch: told), "LEASEKIT_SEED=\(seed)")
        }
    }
}
