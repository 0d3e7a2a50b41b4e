// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LeaseKit

/// The timing of renewals, as a table.
@Suite struct RenewalPolicyTests {
    private let policy = RenewalPolicy()

    @Test(arguments: [
        // random, seconds of an hour's lease
        (0.0, 2_160.0), (0.5, 2_400.0), (0.999_999_9, 2_640.0),
    ])
    func theFirstAttemptLiesAtTwoThirdsGiveOrTakeATenth(row: (Double, Double)) {
        let at = policy.firstAttempt(from: .seconds(100), until: .seconds(3_700), random: row.0)
        #expect(abs((at - .seconds(100)) / .seconds(1) - row.1) < 0.01)
    }

    @Test func aWindowOfTheOtherSideTakesThePlaceOfThat() {
        let window = RenewalWindow(earliest: .seconds(600), latest: .seconds(900))
        #expect(policy.firstAttempt(from: .zero, until: .seconds(3_600), window: window, random: 0) == .seconds(600))
        #expect(policy.firstAttempt(from: .zero, until: .seconds(3_600), window: window, random: 0.5) == .seconds(750))
        // One that lies behind the end is held at the end; one that is turned round is its beginning.
        let late = RenewalWindow(earliest: .seconds(7_200), latest: .seconds(60))
        #expect(policy.firstAttempt(from: .zero, until: .seconds(3_600), window: late, random: 0.5) == .seconds(3_600))
    }

    @Test(arguments: [
        // failures, left, wait without jitter
        (1, 1_200, 1), (2, 1_200, 2), (3, 1_200, 4), (6, 1_200, 32), (7, 1_200, 60), (100, 1_200, 60),
        (7, 100, 25), (7, 40, 10), (7, 4, 1), (1, 2, 1), (7, 1, 1),
    ])
    func retriesAreMinOfExponentialAMinuteAndAQuarterOfWhatIsLeft(row: (Int, Int, Int)) {
        let wait = policy.retry(afterFailures: row.0, left: .seconds(row.1), random: 0.5)
        #expect(wait == .seconds(row.2))
    }

    @Test func nothingIsTriedWhenNothingIsLeft() {
        #expect(policy.retry(afterFailures: 1, left: .zero, random: 0.5) == nil)
        #expect(policy.retry(afterFailures: 1, left: .seconds(-5), random: 0.5) == nil)
    }

    @Test func aRefusalIsAskedAgainSlowlyAndAWishIsHeard() {
        #expect(policy.retry(afterFailures: 1, left: .seconds(1_200), isRefused: true, random: 0.5) == .seconds(60))
        let wished = policy.retry(afterFailures: 1, left: .seconds(1_200), retryAfter: .seconds(30), random: 0.5)
        #expect(wished == .seconds(30))
        // But not beyond what there is time for.
        let tooLong = policy.retry(afterFailures: 1, left: .seconds(80), retryAfter: .seconds(3_600), random: 0.5)
        #expect(tooLong == .seconds(20))
    }

    @Test(arguments: [1, 2, 10, 63, 64, 65, 1_000, 65_535, Int.max])
    func f16NoNumberOfFailuresOverflows(failures: Int) throws {
        let wait = try #require(policy.retry(afterFailures: failures, left: .seconds(86_400), random: 0.5))
        #expect(wait >= .seconds(1) && wait <= .seconds(60))
    }

    @Test func noPolicyMakesAHotLoop() {
        var odd = RenewalPolicy(jitter: .nan, retryBase: .zero, retryCap: .seconds(-1), retryShare: .nan)
        odd.attemptTimeout = .seconds(-3)
        for failures in 0..<80 {
            for left in [1, 10, 1_000_000_000] {
                let wait = odd.retry(afterFailures: failures, left: .seconds(left), random: 0.999)
                #expect(wait.map { $0 >= .seconds(1) } == true)
            }
        }
        #expect(odd.timeout(left: .seconds(10)) > .zero)
        #expect(odd.firstAttempt(from: .zero, until: .seconds(100), random: 0.3) > .zero)
    }

    @Test func aTermCountsFromTheAskingAndLessTheClocksError() {
        let plain = policy.trusted(until: .seconds(3_605), askedAt: .seconds(0), granted: .seconds(3_600))
        #expect(plain == .seconds(3_600))
        let careful = RenewalPolicy(clockError: 0.5).trusted(
            until: .seconds(100),
            askedAt: .zero,
            granted: .seconds(100)
        )
        #expect(careful == .seconds(50))
    }

    @Test(arguments: [(0, 0, 0), (0, 1, 0), (0, 2, 1), (0, 3, 1), (0, 4, 2), (0, 6, 0), (2, 2, 0)])
    func everyFewFailuresTheNextBrokerIsAsked(row: (Int, Int, Int)) {
        #expect(policy.broker(home: row.0, failures: row.1, count: 3) == row.2)
    }

    @Test(arguments: [
        (LeaseError.Code.leaseNotFound, RenewalStop.revoked), (.leaseNotActive, .revoked), (.leaseExpired, .expired),
        (.credentialGone, .vanished),
    ])
    func whatSaysThatALeaseIsOverIsReadAsThat(row: (LeaseError.Code, RenewalStop)) {
        guard case .over(let reason) = RenewalVerdict(reading: LeaseError(row.0, "")) else {
            Issue.record("\(row.0) says that it is over")
            return
        }
        #expect(RenewalStop(reason) == row.1)
        #expect(row.1.isOver)
    }

    @Test func otherErrorsAreNoEnd() {
        for code: LeaseError.Code in [.backendDenied, .targetMismatch, .unknownMount, .backendFailed, .quotaExceeded] {
            #expect(RenewalVerdict(reading: LeaseError(code, "")).isRefused, "\(code)")
        }
        for code: LeaseError.Code in [.targetUnavailable, .deadlineExceeded, .managerStopped, .storeUnknown] {
            #expect(!RenewalVerdict(reading: LeaseError(code, "")).isAnswered, "\(code)")
        }
        #expect(!RenewalVerdict(reading: CancellationError()).isAnswered)
        guard case .final(.atMaximum) = RenewalVerdict(reading: LeaseError(.pastMaximum, "")) else {
            Issue.record("the maximum is no failure")
            return
        }
    }

    @Test func theAgendaKeepsItsOrder() {
        var agenda = RenewalAgenda()
        var random = SystemRandomNumberGenerator()
        agenda.grow(to: 500)
        var expected: [Int: Int] = [:]
        for _ in 0..<5_000 {
            let number = Int.random(in: 0..<500, using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 {
                agenda.remove(number)
                expected[number] = nil
            } else {
                let due = Int.random(in: 0..<1_000, using: &random)
                agenda.set(number, due: .seconds(due))
                expected[number] = due
            }
        }
        #expect(agenda.count == expected.count)
        var last = Duration.zero
        while let first = agenda.first {
            #expect(first.due >= last && expected[first.number].map { .seconds($0) } == first.due)
            last = first.due
            agenda.remove(first.number)
            expected[first.number] = nil
        }
        #expect(expected.isEmpty)
    }

    @Test func whatIsDueInTheMiddleOfANanosecondIsNotDueAtItsBeginning() {
        var agenda = RenewalAgenda()
        agenda.grow(to: 1)
        let due = Duration(secondsComponent: 1, attosecondsComponent: 1)
        agenda.set(0, due: due)
        #expect(agenda.first.map { $0.due >= due } == true)
    }
}
