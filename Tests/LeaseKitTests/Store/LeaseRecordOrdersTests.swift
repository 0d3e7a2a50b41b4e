// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite("The rules of orders and claims")
struct LeaseRecordOrdersTests {
    private typealias Fixture = RulesFixture

    @Test("covering", arguments: LeaseState.allCases)
    func covers(state: LeaseState) {
        var record = Fixture.record(state)
        let effect = record.cover(by: Fixture.order, hasChildren: true, Fixture.context())
        let expected: CoverEffect =
            switch state {
            case .stuck, .quarantined: .stuck
            case .ending: .ending
            default: .unfinished
            }
        #expect(effect == expected)
        #expect(record.state == (state == .active ? .revoking : state))
        #expect(record.orders == [Fixture.order.id])
        #expect(record.urgency == .ordered)
        if state == .active { #expect(record.due == Fixture.now + .seconds(1), "a parent is looked at later") }
        #expect(record.cover(by: Fixture.order, hasChildren: true, Fixture.context()) == .already)
    }

    @Test func hollowRecordHasNothingToEnd() {
        var record = Fixture.record(.revoking)
        record.isHollow = true
        #expect(record.cover(by: Fixture.order, hasChildren: true, Fixture.context()) == .nothing)
        #expect(record.orders.isEmpty)
    }

    @Test("handing out", arguments: LeaseState.allCases)
    func hands(state: LeaseState) {
        var record = Fixture.record(state)
        let isEarly = record.hand(to: Fixture.claim, lapsesAt: Fixture.now + .seconds(200), Fixture.context(9))
        #expect(!isEarly)
        let isHanded = record.hand(to: Fixture.claim, lapsesAt: Fixture.now + .seconds(200), Fixture.context(100))
        #expect(isHanded == (state != .quarantined))
        guard isHanded else { return }
        #expect(record.claim == Fixture.claim)
        #expect(record.due == Fixture.now + .seconds(200))
        #expect(record.state == (state == .pending ? .settling : state == .active ? .revoking : state))
    }

    @Test("an order counts each lease once, whatever it goes through")
    func counts() {
        var progress = OrderProgress()
        progress.count(CoverEffect.unfinished)
        progress.count(CoverEffect.stuck)
        progress.count(CoverEffect.nothing)
        #expect((progress.covered, progress.stuck, progress.unfinished) == (2, 1, 2))
        progress.count(.remove(.revoked), from: .stuck, wasHollow: false, to: .stuck)
        #expect((progress.revoked, progress.stuck, progress.unfinished) == (1, 0, 1))
        progress.count(.ending, from: .revoking, wasHollow: false, to: .ending)
        progress.count(.stuck, from: .ending, wasHollow: false, to: .stuck)
        #expect((progress.ending, progress.stuck, progress.unfinished) == (0, 1, 1))
        progress.isExpanded = true
        progress.count(.hollow(.notOurs), from: .stuck, wasHollow: false, to: .revoking)
        #expect(progress.isComplete)
        let final = progress
        progress.count(.remove(.revoked), from: .revoking, wasHollow: true, to: .revoking)
        #expect(progress == final)
    }

    @Test func timeAtOpeningFollowsTheBootClock() {
        let observed = ObservedTime(time: Fixture.now, bootID: "a", continuous: .seconds(10))
        func reading(_ bootID: String, _ seconds: Int64) -> TimeReading {
            let elapsed = Duration.seconds(seconds)
            return TimeReading(wall: .distantPast, continuous: elapsed, suspending: elapsed, bootID: bootID)
        }
        #expect(reading("a", 15).time(after: observed) == Fixture.now + .seconds(5))
        #expect(reading("b", 15).time(after: observed) == .distantPast)
        #expect(reading("a", 5).time(after: observed) == .distantPast)
        #expect(reading("a", 15).time(after: nil) == .distantPast)
    }
}
