// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LeaseKit

@Suite struct MountGateTests {
    private let start = LeaseInstant(secondsSinceEpoch: 1_000)

    private func gate(_ settings: MountSettings = MountSettings(concurrency: 2, revocationConcurrency: 3)) -> MountGate
    {
        var gate = MountGate(settings)
        gate.identity = .confirmed
        return gate
    }

    @Test func demandsAndRevocationsHavePlacesOfTheirOwn() {
        var gate = gate()
        for _ in 0..<2 { #expect(gate.enter(.demand, at: start) == nil) }
        #expect(gate.enter(.demand, at: start) == .busy)
        for _ in 0..<3 { #expect(gate.enter(.revocation, at: start) == nil) }
        #expect(gate.enter(.revocation, at: start) == .busy)
        #expect((gate.demands, gate.revocations) == (2, 3))
    }

    @Test func aPlaceThatIsGivenBackCanBeTakenAgain() {
        var gate = gate()
        for _ in 0..<2 { #expect(gate.enter(.demand, at: start) == nil) }
        gate.leave(.demand)
        #expect(gate.enter(.demand, at: start) == nil)
        #expect(gate.enter(.demand, at: start) == .busy)
    }

    @Test func whoIsTurnedAwayTakesNeitherAPlaceNorRateNorProbe() {
        var gate = gate(MountSettings(concurrency: 1, rate: RateLimit(callsPerSecond: 1, burst: 2)))
        #expect(gate.enter(.demand, at: start) == nil)
        for _ in 0..<10 { #expect(gate.enter(.demand, at: start) == .busy) }
        #expect(gate.limiter.room(gate.settings.rate, at: start) == 1)
        #expect(gate.enter(.revocation, at: start) == nil)
        #expect(gate.enter(.revocation, at: start) == .tooFast(.seconds(1)))
        #expect(gate.revocations == 1)
    }

    @Test func aTargetThatIsDownIsReportedWithTheTimeOfTheProbe() {
        var gate = gate()
        #expect(gate.failTarget(at: start, retryAfter: nil) == true)
        #expect(gate.enter(.demand, at: start + .seconds(1)) == .targetDown(retryAfter: .seconds(2)))
        #expect(gate.revocationRoom(at: start + .seconds(1)) == 0)
        #expect(gate.nextRoom(at: start + .seconds(1)) == start + .seconds(3))
    }

    @Test func whileTheTargetIsDownOneCallMayFindOut() {
        var gate = gate()
        _ = gate.failTarget(at: start, retryAfter: nil)
        let probe = start + .seconds(3)
        #expect(gate.revocationRoom(at: probe) == 1)
        #expect(gate.enter(.demand, at: probe) == nil)
        #expect(gate.enter(.demand, at: probe) == .targetDown(retryAfter: .seconds(3)))
        #expect(gate.succeed() == true)
        #expect(gate.enter(.demand, at: probe) == nil)
    }

    @Test func afterAnOutageTheTargetIsAskedAgainWhoItIs() {
        var gate = gate()
        _ = gate.failTarget(at: start, retryAfter: nil)
        #expect(gate.identity == .unasked)
        _ = gate.succeed()
        #expect(gate.revocationRoom(at: start) == 1)
    }

    @Test func anotherTargetIsAskedOnlyWhoItIs() {
        var gate = gate()
        #expect(gate.mismatch(found: "other", at: start) == true)
        #expect(gate.mismatch(found: "other", at: start) == false)
        #expect(gate.enter(.demand, at: start, asksFirst: true) == .targetMismatch(found: "other"))
        let probe = start + .seconds(3)
        #expect(gate.enter(.revocation, at: probe) == .targetMismatch(found: "other"))
        #expect(gate.enter(.revocation, at: probe, asksFirst: true) == nil)
        #expect(gate.enter(.revocation, at: probe, asksFirst: true) == .targetMismatch(found: "other"))
    }

    @Test func aFailureDoesNotMakeAMismatchForgotten() {
        var gate = gate()
        _ = gate.mismatch(found: "other", at: start)
        _ = gate.failTarget(at: start, retryAfter: nil)
        #expect(gate.identity == .mismatch(found: "other"))
    }

    @Test func roomIsWhatPlacesAndRateLeave() {
        var gate = gate(MountSettings(revocationConcurrency: 10, rate: RateLimit(callsPerSecond: 1, burst: 4)))
        #expect(gate.revocationRoom(at: start) == 4)
        #expect(gate.enter(.demand, at: start) == nil)
        #expect(gate.revocationRoom(at: start) == 3)
        #expect(gate.nextRoom(at: start) == nil)
        for _ in 0..<3 { #expect(gate.enter(.revocation, at: start) == nil) }
        #expect(gate.revocationRoom(at: start) == 0)
        #expect(gate.nextRoom(at: start) == start + .seconds(1))
    }

    /// Time that has passed brings nothing: whoever looked again and again for it would never rest.
    @Test func whatOnlyTheEndOfACallBringsIsNotExpectedOfTime() {
        var gate = gate(
            MountSettings(
                revocationConcurrency: 1,
                rate: RateLimit(callsPerSecond: 0.1, burst: 1),
                probeInterval: .seconds(3)
            )
        )
        _ = gate.failTarget(at: start, retryAfter: nil)
        let later = start + .seconds(10)
        gate.isProbing = true
        #expect(gate.revocationRoom(at: later) == 0)
        #expect(gate.nextRoom(at: later) == nil)
        gate.isProbing = false
        #expect(gate.enter(.revocation, at: later) == nil)
        #expect(gate.nextRoom(at: later + .seconds(5)) == nil)
        gate.leave(.revocation)
        // The probe may go, and the rate does not let it.
        #expect(gate.revocationRoom(at: later + .seconds(5)) == 0)
        #expect(gate.nextRoom(at: later + .seconds(5)) == later + .seconds(10))
    }

    @Test func changedSettingsCountFromNowOn() {
        var gate = gate()
        for _ in 0..<2 { _ = gate.enter(.demand, at: start) }
        gate.change(MountSettings(concurrency: 3, probeInterval: .seconds(60)))
        #expect(gate.enter(.demand, at: start) == nil)
        _ = gate.failTarget(at: start, retryAfter: nil)
        #expect(gate.nextRoom(at: start) == start + .seconds(60))
        _ = gate.succeed()
        gate.change(MountSettings(concurrency: 1))
        #expect(gate.enter(.demand, at: start) == .busy)
    }

    @Test func nobodyPassesByWhoWaits() {
        var gate = gate(MountSettings(concurrency: 1))
        #expect(gate.enter(.demand, at: start) == nil)
        var (first, second): (UInt64?, UInt64?) = (nil, nil)
        let turns = [Reply<Void>(), Reply<Void>()]
        #expect(gate.enterOrWait(&first, turns[0], at: start) == .busy)
        #expect(gate.enterOrWait(&second, turns[1], at: start) == .busy)
        gate.leave(.demand)
        #expect(gate.enter(.demand, at: start) == .busy)
        #expect(gate.enterOrWait(&second, turns[1], at: start) == .busy)
        #expect(gate.line.first === turns[0])
        #expect(gate.enterOrWait(&first, turns[0], at: start) == nil)
        #expect(gate.line.first === turns[1])
        gate.leave(.demand)
        #expect(gate.enterOrWait(&second, turns[1], at: start) == nil)
        #expect(gate.line.isEmpty)
    }

    @Test func whoLeavesTheLineDoesNotHoldItUp() {
        var gate = gate(MountSettings(concurrency: 1, waitingLimit: 2))
        #expect(gate.enter(.demand, at: start) == nil)
        var tickets: [UInt64?] = [nil, nil, nil]
        let turns = (0..<3).map { _ in Reply<Void>() }
        #expect(gate.enterOrWait(&tickets[0], turns[0], at: start) == .busy)
        #expect(gate.enterOrWait(&tickets[1], turns[1], at: start) == .busy)
        #expect(gate.enterOrWait(&tickets[2], turns[2], at: start) == .crowded(2))
        gate.leaveLine(tickets[0])
        #expect(gate.line.first === turns[1])
        gate.leave(.demand)
        #expect(gate.enterOrWait(&tickets[1], turns[1], at: start) == nil)
    }

    @Test func whoWaitsForATargetThatGoesDownIsSentAway() {
        var gate = gate(MountSettings(concurrency: 1))
        #expect(gate.enter(.demand, at: start) == nil)
        var ticket: UInt64?
        let turn = Reply<Void>()
        #expect(gate.enterOrWait(&ticket, turn, at: start) == .busy)
        _ = gate.failTarget(at: start, retryAfter: nil)
        #expect(gate.enterOrWait(&ticket, turn, at: start) == .targetDown(retryAfter: .seconds(3)))
        #expect(gate.line.isEmpty)
    }

    @Test func aProbeThatFoundNothingOutIsPassedOn() {
        var gate = gate()
        _ = gate.failTarget(at: start, retryAfter: nil)
        let probe = start + .seconds(3)
        #expect(gate.enter(.revocation, at: probe, asksFirst: true) == nil)
        #expect(gate.revocationRoom(at: probe) == 0)
        gate.identity = .confirmed
        gate.passProbeOn(at: probe)
        #expect(gate.revocationRoom(at: probe) == 1)
        #expect(gate.enter(.revocation, at: probe) == nil)
        #expect(gate.revocationRoom(at: probe) == 0)
    }
}
