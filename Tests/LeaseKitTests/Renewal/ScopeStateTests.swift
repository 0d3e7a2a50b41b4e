// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LeaseKit

/// What a scope decides about its lease, without clocks and tasks.
@Suite struct ScopeStateTests {
    private static func lease(_ ttl: Int = 3_600, isRenewable: Bool = true) -> Lease<Void> {
        Lease(
            id: LeaseID(high: 1, low: 2),
            path: "a/b",
            secret: (),
            issuedAt: LeaseInstant(secondsSinceEpoch: 0),
            expiresAt: LeaseInstant(secondsSinceEpoch: Int64(ttl)),
            validUntil: .seconds(ttl),
            isRenewable: isRenewable,
            terms: TTLDecision(
                ttl: .seconds(ttl),
                expiresAt: LeaseInstant(secondsSinceEpoch: Int64(ttl)),
                boundBy: .role
            )
        )
    }

    private var state = ScopeState(Self.lease(), askedAt: .zero, RenewalPolicy(jitter: 0))

    @Test mutating func itIsRenewedAndLostOnlyAtItsEnd() {
        #expect(state.step(at: .zero) == .wait(until: .seconds(2_400)))
        #expect(state.step(at: .seconds(2_400)) == .renew(attempt: 1))
        #expect(state.step(at: .seconds(2_400)) == .wait(until: .seconds(2_410)))
        // No answer in ten seconds: tried again.
        #expect(state.step(at: .seconds(2_410)) == .wait(until: .seconds(2_411)))
        #expect(state.step(at: .seconds(2_411)) == .renew(attempt: 2))
        #expect(state.step(at: .seconds(3_600)) == .lose(.expired))
    }

    @Test mutating func aRenewalWhoseAnswerWasLostCountsWhenNewsOfTheLaterEndCome() {
        #expect(state.step(at: .seconds(2_400)) == .renew(attempt: 1))
        state.noticed(.moved(to: LeaseInstant(secondsSinceEpoch: 6_000)), at: .seconds(2_400))
        // No answer in ten seconds: it was done all the same, and the next one is due at two thirds of its hour.
        #expect(state.step(at: .seconds(2_410)) == .wait(until: .seconds(4_800)))
        #expect(state.step(at: .seconds(4_800)) == .renew(attempt: 2))
        #expect(state.step(at: .seconds(4_810)) == .wait(until: .seconds(4_811)))
    }

    @Test mutating func aLateGrantStillCounts() {
        _ = state.step(at: .seconds(2_400))
        _ = state.step(at: .seconds(2_411))
        let outcome = RenewalOutcome(
            expiresAt: LeaseInstant(secondsSinceEpoch: 6_000),
            validUntil: .seconds(6_000),
            granted: .seconds(3_600),
            asked: nil,
            boundBy: .role,
            leftToMaximum: nil,
            warnings: []
        )
        state.renewed(outcome, attempt: 1, askedAt: .seconds(2_400))
        #expect(state.term.end == .seconds(6_000))
    }

    @Test mutating func aRevocationEndsItAtOnceAndALateAnswerDoesNotBringItBack() {
        state.noticed(.ended(.revoked), at: .seconds(100))
        #expect(state.step(at: .seconds(100)) == .lose(.revoked))
        state.noticed(.moved(to: LeaseInstant(secondsSinceEpoch: 9_999)), at: .seconds(101))
        #expect(state.step(at: .seconds(102)) == .lose(.revoked))
    }

    @Test mutating func whatOthersMoveIsFollowedBothWays() {
        state.noticed(.moved(to: LeaseInstant(secondsSinceEpoch: 7_200)), at: .seconds(1_000))
        #expect(state.term.end == .seconds(7_200))
        state.noticed(.moved(to: LeaseInstant(secondsSinceEpoch: 1_500)), at: .seconds(1_100))
        #expect(state.term.end == .seconds(1_500))
        #expect(state.step(at: .seconds(1_500)) == .lose(.expired))
    }

    @Test mutating func withoutRenewalOrAtTheMaximumItRunsToItsEnd() {
        var still = ScopeState(Self.lease(), askedAt: .zero, nil)
        #expect(still.step(at: .seconds(3_000)) == .wait(until: .seconds(3_600)))
        _ = state.step(at: .seconds(2_400))
        state.failed(LeaseError(.pastMaximum, ""), attempt: 1, at: .seconds(2_401))
        #expect(state.step(at: .seconds(2_402)) == .wait(until: .seconds(3_600)))
    }
}
