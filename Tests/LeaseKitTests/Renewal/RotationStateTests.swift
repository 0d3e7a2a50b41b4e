// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LeaseKit

/// The generations of a rotating credential, step by step, without clocks and tasks.
@Suite struct RotationStateTests {
    private var state = RotationState(RenewalPolicy(jitter: 0), RotationPolicy(), brokerCount: 1, sharesLeases: true)

    private mutating func decide(_ seconds: Int) -> [RotationAction] {
        state.decide(at: .seconds(seconds), random: 0.5)
    }

    /// What is decided, without what is only told.
    private mutating func calls(_ seconds: Int) -> [RotationAction] {
        decide(seconds).filter { if case .tell = $0 { false } else { true } }
    }

    /// Lets the attempt that is under way come to something.
    @discardableResult
    private mutating func make(_ number: UInt64, at seconds: Int, for ttl: Int = 3_600, isFinal: Bool = false) -> UInt64
    {
        let end = Duration.seconds(seconds + ttl)
        let made = RotationState.Made(
            attempt: state.making ?? 0,
            lease: LeaseID(high: 0, low: number),
            term: RenewalTerm(from: .seconds(seconds), until: end, isFinal: isFinal),
            named: (LeaseInstant(secondsSinceEpoch: Int64(seconds + ttl)), end),
            window: nil
        )
        return state.made(made, at: .seconds(seconds), random: 0.5).number
    }

    /// Nobody answers a renewal.
    private mutating func fail(askedAt: Int, at seconds: Int) {
        let (askedAt, now) = (Duration.seconds(askedAt), Duration.seconds(seconds))
        state.renewalFailed(1, .unanswered(retryAfter: nil), askedAt: askedAt, at: now, random: 0.5)
    }

    private func outcome(until seconds: Int, granted: Int, leftToMaximum: Int? = nil) -> RenewalOutcome {
        RenewalOutcome(
            expiresAt: LeaseInstant(secondsSinceEpoch: Int64(seconds)),
            validUntil: .seconds(seconds),
            granted: .seconds(granted),
            asked: nil,
            boundBy: .role,
            leftToMaximum: leftToMaximum.map { .seconds($0) },
            warnings: []
        )
    }

    @Test mutating func oneAttemptAtATime() {
        #expect(decide(0) == [.make(attempt: 1, broker: 0)])
        let isReachable = state.demanded(.zero, at: .seconds(1))
        #expect(isReachable)
        #expect(decide(2) == [])
    }

    /// The answers of a broker get lost, and news of what it does come through, for instance by way of another one.
    @Test mutating func aRenewalWhoseAnswerWasLostCountsWhenNewsOfTheLaterEndCome() {
        _ = decide(0)
        make(1, at: 0)
        #expect(calls(2_400).count == 1)
        state.moved(
            LeaseID(high: 0, low: 1),
            to: LeaseInstant(secondsSinceEpoch: 6_000),
            at: .seconds(2_400),
            random: 0.5
        )
        fail(askedAt: 2_400, at: 2_410)
        #expect(calls(2_410) == [])
        // Two thirds of the hour that it was given.
        #expect(state.nextWake(at: .seconds(2_410)) == .seconds(4_800))
        #expect(calls(4_800).count == 1)
        // News that are old say nothing of this attempt.
        fail(askedAt: 4_800, at: 4_810)
        #expect(state.nextWake(at: .seconds(4_810)) == .seconds(4_811))
    }

    /// News of an earlier end, or a renewal that was refused, leave a failure a failure.
    @Test(arguments: [true, false]) mutating func otherNewsDoNotMakeUpForAFailure(isLater: Bool) {
        _ = decide(0)
        make(1, at: 0)
        #expect(calls(2_400).count == 1)
        let end = LeaseInstant(secondsSinceEpoch: isLater ? 6_000 : 3_000)
        state.moved(LeaseID(high: 0, low: 1), to: end, at: .seconds(2_405), random: 0.5)
        let verdict = isLater ? RenewalVerdict.refused(retryAfter: nil) : .unanswered(retryAfter: nil)
        state.renewalFailed(1, verdict, askedAt: .seconds(2_400), at: .seconds(2_410), random: 0.5)
        #expect(state.nextWake(at: .seconds(2_410)) == .seconds(isLater ? 2_470 : 2_411))
    }

    @Test mutating func aRenewalIsDueAtTwoThirdsAndRepeatedUntilItComesThrough() {
        _ = decide(0)
        make(1, at: 0)
        #expect(decide(0) == [])
        #expect(state.nextWake(at: .zero) == .seconds(2_400))
        #expect(decide(2_399) == [])
        let renewal = RotationAction.renew(
            number: 1,
            lease: LeaseID(high: 0, low: 1),
            broker: 0,
            timeout: .seconds(10)
        )
        #expect(decide(2_400) == [renewal])
        fail(askedAt: 2_400, at: 2_410)
        #expect(decide(2_410) == [])
        #expect(state.nextWake(at: .seconds(2_410)) == .seconds(2_411))
        #expect(decide(2_411) == [renewal])
        state.renewed(
            1,
            outcome(until: 6_011, granted: 3_600),
            askedAt: .seconds(2_411),
            broker: 0,
            at: .seconds(2_412),
            random: 0.5
        )
        #expect(decide(2_412) == [])
        #expect(state.current?.term.end == .seconds(6_011))
    }

    @Test mutating func anAnswerForAnotherGenerationChangesNothing() {
        _ = decide(0)
        make(1, at: 0)
        state.renewalFailed(7, .over(.revoked), askedAt: .seconds(4), at: .seconds(5), random: 0.5)
        state.renewed(7, outcome(until: 9_999, granted: 9_000), askedAt: .zero, broker: 0, at: .zero, random: 0)
        #expect(state.current?.term.end == .seconds(3_600))
    }

    @Test mutating func atItsMaximumItIsReplacedAndTheOldOneDrains() {
        _ = decide(0)
        make(1, at: 0, isFinal: true)
        let isTaken = state.checkedOut(1, at: .seconds(5))
        #expect(isTaken)
        #expect(decide(2_400) == [.make(attempt: 2, broker: 0)])
        make(2, at: 2_401)
        #expect(decide(2_401) == [])
        let isTakenLate = state.checkedOut(1, at: .seconds(2_402))
        #expect(!isTakenLate)
        #expect(state.nextWake(at: .seconds(2_401)) == .seconds(2_431))
        state.givenBack(1)
        let actions = decide(2_402)
        #expect(actions.contains { if case .end(1, _, _, _, false) = $0 { true } else { false } })
        #expect(decide(2_403) == [])
        state.ending(1, isDone: true)
        #expect(state.retired.isEmpty)
    }

    @Test mutating func afterTheGraceItIsEndedUnderItsUsers() {
        _ = decide(0)
        make(1, at: 0, isFinal: true)
        _ = state.checkedOut(1, at: .zero)
        _ = decide(2_400)
        make(2, at: 2_400)
        #expect(decide(2_429) == [])
        let found = decide(2_430)
        #expect(found.contains { if case .end(1, _, _, _, true) = $0 { true } else { false } })
    }

    @Test mutating func withALingerItIsLeftAloneForThoseWhoTakeNothingInHand() {
        state = RotationState(
            RenewalPolicy(jitter: 0),
            RotationPolicy(linger: .seconds(60)),
            brokerCount: 1,
            sharesLeases: true
        )
        _ = decide(0)
        make(1, at: 0)
        _ = state.rejected(1, at: .seconds(100))
        _ = decide(100)
        make(2, at: 100)
        #expect(calls(101) == [])
        #expect(state.nextWake(at: .seconds(101)) == .seconds(160))
        #expect(calls(160).count == 1)
    }

    @Test mutating func aThirdOneIsMadeOnlyWhenTheFirstIsGone() {
        _ = decide(0)
        make(1, at: 0)
        _ = state.checkedOut(1, at: .zero)
        _ = state.rejected(1, at: .seconds(100))
        #expect(calls(100) == [.make(attempt: 2, broker: 0)])
        make(2, at: 100)
        _ = decide(100)
        _ = state.rejected(2, at: .seconds(101))
        // Not before the interval is over; then the drain of the first is cut short, and waited for.
        #expect(calls(110) == [])
        let actions = calls(130)
        #expect(actions.contains { if case .end(1, _, _, _, _) = $0 { true } else { false } })
        #expect(!actions.contains { if case .make = $0 { true } else { false } })
        state.ending(1, isDone: true)
        #expect(calls(131) == [.make(attempt: 3, broker: 0)])
    }

    @Test mutating func aThirdOneWaitsForTheEndOfTheFirstAndNotForItsAnnouncement() {
        _ = decide(0)
        make(1, at: 0)
        _ = state.rejected(1, at: .seconds(100))
        _ = decide(100)
        make(2, at: 100)
        #expect(calls(100).contains { if case .end(1, _, _, _, false) = $0 { true } else { false } })
        // The order to revoke it is placed, and its lease counts as over; at the target it is still there.
        state.ended(LeaseID(high: 0, low: 1), .revoked, at: .seconds(100))
        _ = state.rejected(2, at: .seconds(101))
        #expect(calls(130) == [])
        state.ending(1, isDone: true)
        #expect(calls(131) == [.make(attempt: 3, broker: 0)])
    }

    @Test mutating func aPlannedReplacementLetsTheUsersOfTheOneBeforeFinish() {
        state = RotationState(
            RenewalPolicy(renewAt: 0.1, jitter: 0),
            RotationPolicy(grace: .seconds(5_000)),
            brokerCount: 1,
            sharesLeases: true
        )
        _ = decide(0)
        make(1, at: 0, for: 1_000, isFinal: true)
        for _ in 0..<2 { _ = state.checkedOut(1, at: .seconds(50)) }
        #expect(calls(100) == [.make(attempt: 2, broker: 0)])
        make(2, at: 100, for: 800, isFinal: true)
        _ = state.checkedOut(2, at: .seconds(150))
        // The second is due at 180; four fifths of its time are over at 740.
        #expect(calls(180) == [])
        state.givenBack(1)
        #expect(calls(200) == [])
        #expect(state.nextWake(at: .seconds(200)) == .seconds(740))
        var late = state
        let forced = late.decide(at: .seconds(740), random: 0.5)
        #expect(forced.contains { if case .end(1, _, _, _, true) = $0 { true } else { false } })
        state.givenBack(1)
        let ended = calls(300)
        #expect(ended.count == 1)
        #expect(ended.contains { if case .end(1, _, _, _, false) = $0 { true } else { false } })
        state.ending(1, isDone: true)
        #expect(calls(301) == [.make(attempt: 3, broker: 0)])
    }

    @Test mutating func whoNeedsMoreTimeLetsTheUsersOfTheOneBeforeFinish() {
        state = RotationState(
            RenewalPolicy(jitter: 0),
            RotationPolicy(grace: .seconds(5_000)),
            brokerCount: 1,
            sharesLeases: true
        )
        _ = decide(0)
        make(1, at: 0, for: 10_000)
        _ = state.checkedOut(1, at: .seconds(50))
        _ = state.rejected(1, at: .seconds(100))
        _ = decide(100)
        make(2, at: 100, for: 1_000, isFinal: true)
        let isReachable = state.demanded(.seconds(700), at: .seconds(500))
        #expect(isReachable)
        #expect(calls(500) == [])
        // Four fifths of the time of the second are over then.
        #expect(state.nextWake(at: .seconds(500)) == .seconds(900))
        state.givenBack(1)
        #expect(calls(600).contains { if case .end(1, _, _, _, false) = $0 { true } else { false } })
        state.ending(1, isDone: true)
        #expect(calls(601) == [.make(attempt: 3, broker: 0)])
    }

    /// Whoever needs more time brings a renewal forward, and not the next attempt after one that failed.
    @Test mutating func aLoopOfCallersIsNoLoopOfRenewals() {
        _ = decide(0)
        make(1, at: 0)
        #expect(calls(100) == [])
        _ = state.demanded(.seconds(3_550), at: .seconds(100))
        #expect(calls(100).count == 1)
        fail(askedAt: 100, at: 101)
        for _ in 0..<3 { _ = state.demanded(.seconds(3_550), at: .seconds(101)) }
        #expect(calls(101) == [])
        #expect(state.nextWake(at: .seconds(101)) == .seconds(102))
        #expect(calls(102).count == 1)
        fail(askedAt: 102, at: 103)
        _ = state.demanded(.seconds(3_550), at: .seconds(103))
        #expect(state.nextWake(at: .seconds(103)) == .seconds(105))
    }

    /// A renewal that is granted and lengthens nothing is not asked for again by everybody who needs more time.
    @Test mutating func whoNeedsMoreTimeThanARenewalGivesGetsAnotherOne() {
        _ = decide(0)
        make(1, at: 0)
        #expect(calls(1_000) == [])
        _ = state.demanded(.seconds(3_000), at: .seconds(1_000))
        #expect(calls(1_000).count == 1)
        let same = outcome(until: 3_600, granted: 2_600)
        state.renewed(1, same, askedAt: .seconds(1_000), broker: 0, at: .seconds(1_000), random: 0.5)
        _ = state.demanded(.seconds(3_000), at: .seconds(1_001))
        #expect(calls(1_001) == [.make(attempt: 2, broker: 0)])
    }

    /// Whoever asks for a replacement is held back for a while, and that must not hold back the one whose time has come.
    @Test mutating func aRejectionHoldsBackNoPlannedReplacement() {
        _ = decide(0)
        make(1, at: 0, for: 30, isFinal: true)
        _ = state.rejected(1, at: .seconds(1))
        #expect(calls(1) == [])
        #expect(state.nextWake(at: .seconds(1)) == .seconds(20))
        #expect(state.health(at: .seconds(1)) == .degraded(remaining: .seconds(29)))
        #expect(calls(20) == [.make(attempt: 2, broker: 0)])
    }

    @Test mutating func norDoesWhoNeedsMoreTime() {
        _ = decide(0)
        make(1, at: 0, for: 30, isFinal: true)
        _ = state.demanded(.seconds(25), at: .seconds(10))
        #expect(calls(10) == [])
        #expect(state.nextWake(at: .seconds(10)) == .seconds(20))
        #expect(calls(20) == [.make(attempt: 2, broker: 0)])
    }

    @Test mutating func norIsTheOneHeldBackThatCannotBeRenewedAnyMore() {
        _ = decide(0)
        make(1, at: 0, for: 36)
        _ = state.rejected(1, at: .seconds(1))
        #expect(calls(24).count == 1)
        state.renewalFailed(1, .final(.atMaximum), askedAt: .seconds(24), at: .seconds(24), random: 0.5)
        #expect(calls(24) == [.make(attempt: 2, broker: 0)])
    }

    @Test mutating func norTheOneThatIsInDanger() {
        _ = decide(0)
        make(1, at: 0, for: 32)
        _ = state.rejected(1, at: .seconds(1))
        #expect(calls(22).count == 1)
        fail(askedAt: 22, at: 23)
        #expect(calls(23) == [])
        #expect(state.nextWake(at: .seconds(23)) == .seconds(24))
        #expect(calls(24).contains(.make(attempt: 2, broker: 0)))
    }

    /// The place is needed at that moment, and not when the users of the one before have finished.
    @Test mutating func theLastMomentCutsADrainShortAtOnce() {
        state = RotationState(
            RenewalPolicy(jitter: 0),
            RotationPolicy(grace: .seconds(5_000)),
            brokerCount: 1,
            sharesLeases: true
        )
        _ = decide(0)
        make(1, at: 0, for: 10_000)
        _ = state.checkedOut(1, at: .seconds(50))
        _ = state.rejected(1, at: .seconds(100))
        _ = decide(100)
        make(2, at: 100, for: 240)
        #expect(calls(260).count == 1)
        state.renewalFailed(2, .unanswered(retryAfter: nil), askedAt: .seconds(260), at: .seconds(279), random: 0.5)
        #expect(calls(279) == [])
        #expect(state.nextWake(at: .seconds(279)) == .seconds(280))
        #expect(calls(280).contains { if case .end(1, _, _, _, true) = $0 { true } else { false } })
    }

    /// One that failed is tried again in its time, also when the time of a planned one has come.
    @Test mutating func attemptsThatFailedKeepTheirWaits() {
        _ = decide(0)
        make(1, at: 0, for: 60, isFinal: true)
        _ = state.rejected(1, at: .seconds(30))
        #expect(calls(30) == [.make(attempt: 2, broker: 0)])
        state.makingFailed(.unanswered(retryAfter: .seconds(6)), madeOne: false, at: .seconds(39), random: 0.5)
        #expect(calls(40) == [])
        #expect(calls(44) == [])
        #expect(calls(45) == [.make(attempt: 3, broker: 0)])
    }

    @Test mutating func aRejectionIsHeardOnce() {
        _ = decide(0)
        make(1, at: 0)
        let heard = [UInt64(1), 1, 2].map { state.rejected($0, at: .seconds(60)) }
        #expect(heard == [true, false, false])
        _ = decide(60)
        make(2, at: 61)
        let isOldNews = !state.rejected(1, at: .seconds(62))
        #expect(isOldNews)
    }

    @Test mutating func whenItsTimeIsOverNothingIsHandedOut() {
        _ = decide(0)
        make(1, at: 0, for: 100)
        _ = decide(0)
        #expect(state.isCurrent(1, at: .seconds(99)) && !state.isCurrent(1, at: .seconds(100)))
        let actions = decide(100)
        #expect(actions.first == .withdraw(number: 1))
        #expect(actions.contains(.tell(.lost)) && actions.contains(.make(attempt: 2, broker: 0)))
        #expect(state.health(at: .seconds(100)) == .lost)
    }

    @Test mutating func failuresToMakeOneAreTriedAgainMoreAndMoreSlowly() {
        _ = decide(0)
        var waits: [Duration] = []
        var now = Duration.zero
        for _ in 0..<8 {
            state.makingFailed(.unanswered(retryAfter: nil), madeOne: false, at: now, random: 0.5)
            waits.append(state.notBefore - now)
            now = state.notBefore
            _ = state.decide(at: now, random: 0.5)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
    }

    @Test mutating func oneThatWasMadeAndDoesNotWorkWaitsForTheInterval() {
        _ = decide(0)
        state.makingFailed(.refused(retryAfter: nil), madeOne: true, at: .zero, random: 0.5)
        #expect(state.notBefore >= .seconds(30))
    }

    @Test mutating func closingGivesEverythingBack() {
        _ = decide(0)
        make(1, at: 0)
        _ = state.checkedOut(1, at: .zero)
        state.close(at: .seconds(10), until: .seconds(20))
        let found = decide(10)
        #expect(found.contains(.withdraw(number: 1)))
        let isTaken = state.checkedOut(1, at: .seconds(11))
        #expect(!isTaken && !state.isClosed)
        // Half of the time is for the users, the other half for the ending.
        #expect(state.nextWake(at: .seconds(10)) == .seconds(15))
        let ended = decide(15)
        #expect(ended.contains { if case .end(1, _, _, _, true) = $0 { true } else { false } })
        state.ending(1, isDone: true)
        #expect(state.isClosed)
    }

    @Test mutating func healthSaysHowMuchTimeIsLeft() {
        _ = decide(0)
        make(1, at: 0)
        #expect(state.health(at: .seconds(1)) == .healthy)
        _ = decide(2_400)
        fail(askedAt: 2_390, at: 2_400)
        #expect(state.health(at: .seconds(2_400)) == .healthy)
        _ = decide(2_402)
        fail(askedAt: 2_401, at: 2_402)
        #expect(state.health(at: .seconds(2_402)) == .degraded(remaining: .seconds(1_198)))
        let found = decide(2_402)
        #expect(found.contains(.tell(.degraded(left: .seconds(1_198)))))
    }

    @Test mutating func neverWithoutATimeToWakeWhileSomethingIsHeldOrWanted() {
        _ = decide(0)
        make(1, at: 0)
        for second in stride(from: 0, to: 3_700, by: 7) {
            let now = Duration.seconds(second)
            for action in state.decide(at: now, random: 0.5) {
                if case .renew = action {
                    state.renewalFailed(1, .unanswered(retryAfter: nil), askedAt: now, at: now, random: 0.5)
                }
            }
            if state.making == nil { #expect(state.nextWake(at: now).map { $0 > now } == true, "\(second)") }
        }
    }
}
