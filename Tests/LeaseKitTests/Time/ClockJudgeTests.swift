// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite struct ClockJudgeTests {
    private static let wall = LeaseInstant(secondsSinceEpoch: 1_767_225_600)

    private static func reading(
        wall seconds: Int64,
        continuous: Int64,
        suspended: Int64 = 0,
        boot: String = "boot-1"
    ) -> TimeReading {
        TimeReading(
            wall: wall + .seconds(seconds),
            continuous: .seconds(continuous),
            suspending: .seconds(continuous - suspended),
            bootID: boot
        )
    }

    private static func observed(_ seconds: Int64, at continuous: Int64, boot: String = "boot-1") -> ObservedTime {
        ObservedTime(time: wall + .seconds(seconds), bootID: boot, continuous: .seconds(continuous))
    }

    struct Start: CustomTestStringConvertible {
        let testDescription: String
        let reading: TimeReading
        let observed: ObservedTime?
        /// What time it is, in seconds.
        let now: Int64
        let dispute: ClockDispute?

        init(
            _ text: String,
            _ reading: TimeReading,
            after observed: ObservedTime?,
            is now: Int64,
            _ dispute: ClockDispute?
        ) {
            (testDescription, self.reading, self.observed, self.now, self.dispute) =
                (text, reading, observed, now, dispute)
        }
    }

    private static let day: Int64 = 86_400

    // A row keeps to two lines, so that the table reads as one.
    // swift-format-ignore
    static let starts = [
        Start("nothing was observed: the wall clock", reading(wall: 50, continuous: 5), after: nil, is: 50, nil),
        Start("same boot: stored time and elapsed time", reading(wall: 60, continuous: 110),
              after: observed(50, at: 100), is: 60, nil),
        Start("same boot: a wall clock behind is not asked", reading(wall: -9_999, continuous: 110),
              after: observed(50, at: 100), is: 60, nil),
        Start("same boot: a wall clock years ahead is not asked", reading(wall: 1_000 * day, continuous: 110),
              after: observed(50, at: 100), is: 60, nil),
        Start("same boot: no time has passed", reading(wall: 0, continuous: 100),
              after: observed(50, at: 100), is: 50, nil),
        Start("same boot, but the boot clock went back: the wall clock", reading(wall: 70, continuous: 99),
              after: observed(50, at: 100), is: 70, nil),
        Start("new boot: the wall clock", reading(wall: 500, continuous: 3, boot: "boot-2"),
              after: observed(50, at: 100), is: 500, nil),
        Start("new boot: no time has passed", reading(wall: 50, continuous: 3, boot: "boot-2"),
              after: observed(50, at: 100), is: 50, nil),
        Start("new boot: a second behind", reading(wall: 49, continuous: 3, boot: "boot-2"),
              after: observed(50, at: 100), is: 50, .wallBehind(by: .seconds(1))),
        Start("new boot: seven days ahead are believed", reading(wall: 50 + 7 * day, continuous: 3, boot: "boot-2"),
              after: observed(50, at: 100), is: 50 + 7 * day, nil),
        Start("new boot: more than that is not", reading(wall: 51 + 7 * day, continuous: 3, boot: "boot-2"),
              after: observed(50, at: 100), is: 50, .wallAhead(by: .seconds(7 * day + 1))),
        Start("no telling which boot: the wall clock", reading(wall: 70, continuous: 110, boot: ""),
              after: observed(50, at: 100, boot: ""), is: 70, nil),
        Start("no telling which boot, and behind", reading(wall: 40, continuous: 110, boot: ""),
              after: observed(50, at: 100, boot: ""), is: 50, .wallBehind(by: .seconds(10))),
    ]

    @Test(arguments: starts)
    func theFirstReadingIsJudged(_ start: Start) {
        let judge = ClockJudge(start.reading, observed: start.observed)
        #expect(judge.now(start.reading) == Self.wall + .seconds(start.now))
        #expect(judge.dispute == start.dispute)
    }

    @Test(arguments: [-3_600, -61, 61, 3_600])
    func aWallClockThatPartsByMoreThanAMinuteIsDisputedOnce(jump: Int64) {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let later = Self.reading(wall: 10 + jump, continuous: 10)
        #expect(judge.watch(later) == .disputed(.wallJumped(by: .seconds(jump))))
        #expect(judge.dispute == .wallJumped(by: .seconds(jump)))
        #expect(judge.watch(later) == nil)
        #expect(judge.now(later) == Self.wall + .seconds(10))
    }

    @Test(arguments: [-60, -1, 0, 1, 60])
    func aWallClockThatPartsByLessIsLeftAlone(jump: Int64) {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        #expect(judge.watch(Self.reading(wall: 10 + jump, continuous: 10)) == nil)
        #expect(judge.dispute == nil)
    }

    @Test(arguments: [-59, -1, 1, 59])
    func smallStepsAddUp(step: Int64) {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        var looks: Int64 = 0
        while judge.dispute == nil && looks < 200 {
            looks += 1
            _ = judge.watch(Self.reading(wall: looks * (10 + step), continuous: looks * 10))
        }
        // When it has parted by more than a minute, give or take what a slew may do in the meantime.
        #expect((61...63).contains(looks * abs(step)) || looks == 2)
        #expect(judge.now(Self.reading(wall: 0, continuous: 2_000)) == Self.wall + .seconds(2_000))
    }

    @Test(arguments: [-1, 1])
    func aSlewIsNoJumpHoweverLongItGoesOn(sign: Int64) {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        // Half a millisecond a second, for a year.
        for look in 1...(Int64(365) * 24) {
            let reading = Self.reading(wall: look * 3_600 + sign * look * 9 / 5, continuous: look * 3_600)
            #expect(judge.watch(reading) == nil)
        }
    }

    @Test func stepsForthAndBackAreForgotten() {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        for look in 1...200 {
            let step: Int64 = look.isMultiple(of: 2) ? 0 : 50
            #expect(judge.watch(Self.reading(wall: Int64(look) * 10 + step, continuous: Int64(look) * 10)) == nil)
        }
    }

    @Test(arguments: [
        // What the authority said at second 110, asked at second 100; our clock shows 110 then.
        (said: 105, becomes: 110), (said: 100, becomes: 110), (said: 110, becomes: 110), (said: 130, becomes: 130),
        (said: 60, becomes: 70),
    ])
    func anAuthorityMovesTheClockNoFurtherThanItHasTo(said: Int64, becomes: Int64) {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let answered = Self.reading(wall: 110, continuous: 110)
        judge.follow(Self.wall + .seconds(said), asked: .seconds(100), isFirst: false, at: answered)
        #expect(judge.now(answered) == Self.wall + .seconds(becomes))
    }

    @Test func theFirstAnswerOfAnAuthorityAndTheOneAfterADisputeAreTakenInTheMiddle() {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let answered = Self.reading(wall: 110, continuous: 110)
        judge.follow(Self.wall + .seconds(60), asked: .seconds(100), isFirst: true, at: answered)
        #expect(judge.now(answered) == Self.wall + .seconds(65))
        let jumped = Self.reading(wall: 9_000, continuous: 120)
        #expect(judge.watch(jumped) != nil)
        judge.follow(Self.wall + .seconds(10), asked: .seconds(120), isFirst: false, at: jumped)
        #expect(judge.now(jumped) == Self.wall + .seconds(10))
        #expect(judge.dispute == nil)
    }

    @Test func aSuspendIsNewsAndNoDispute() {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let woken = Self.reading(wall: 7_200, continuous: 7_200, suspended: 7_100)
        #expect(judge.watch(woken) == .suspended(.seconds(7_100)))
        #expect(judge.watch(woken) == nil)
        #expect(judge.now(woken) == Self.wall + .seconds(7_200))
        #expect(judge.dispute == nil)
    }

    @Test func aJumpDuringASuspendIsFoundAtTheNextLook() {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let woken = Self.reading(wall: 10_000, continuous: 7_200, suspended: 7_100)
        #expect(judge.watch(woken) == .suspended(.seconds(7_100)))
        #expect(judge.watch(woken) == .disputed(.wallJumped(by: .seconds(2_800))))
    }

    @Test func eachSuspendIsToldAlone() {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        #expect(judge.watch(Self.reading(wall: 100, continuous: 100, suspended: 50)) == .suspended(.seconds(50)))
        #expect(judge.watch(Self.reading(wall: 200, continuous: 200, suspended: 80)) == .suspended(.seconds(30)))
    }

    @Test(arguments: [-86_400, 0, 86_400])
    func aSettledTimeCountsFromThereAndMayGoBack(seconds: Int64) {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let jumped = Self.reading(wall: 5_000, continuous: 10)
        _ = judge.watch(jumped)
        judge.settle(to: Self.wall + .seconds(seconds), at: jumped)
        #expect(judge.dispute == nil)
        #expect(judge.now(jumped) == Self.wall + .seconds(seconds))
        let later = Self.reading(wall: 5_100, continuous: 110)
        #expect(judge.now(later) == Self.wall + .seconds(seconds + 100))
        #expect(judge.watch(later) == nil)
    }

    @Test func afterASettlementTheNextJumpIsNewsAgain() {
        var judge = ClockJudge(Self.reading(wall: 0, continuous: 0), observed: nil)
        let jumped = Self.reading(wall: 5_000, continuous: 10)
        _ = judge.watch(jumped)
        judge.settle(to: Self.wall, at: jumped)
        let again = Self.reading(wall: 0, continuous: 20)
        #expect(judge.watch(again) == .disputed(.wallJumped(by: .seconds(-5_010))))
    }
}
