// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite struct EndingJudgeTests {
    private static let now = LeaseInstant(secondsSinceEpoch: 10_000)
    private static let claim = LeaseClaim(rawValue: 7)

    /// A claimed lease.
    ///
    /// One that settles was given up `age` ago.
    private static func record(_ state: LeaseState, age: Duration = .seconds(10), attempts: UInt32 = 0) -> LeaseRecord {
        let insertion = LeaseInsertion(
            id: LeaseID(high: 1, low: 2),
            mount: MountID(rawValue: 1),
            path: "database/creds/app",
            handle: [1],
            issuedAt: now - .seconds(100),
            expiresAt: now + .seconds(100),
            deadline: now - age
        )
        let context = StoreContext(
            now: now,
            operation: 1,
            incarnation: Incarnation(rawValue: 1),
            cause: LeaseCause(.requested)
        )
        var record = insertion.record(sequence: 1, context)
        record.state = state
        record.claim = claim
        record.attempts = attempts
        return record
    }

    private static func judge(
        _ record: LeaseRecord,
        isBeingIssued: Bool = false,
        settleTime: Duration = .seconds(60),
        answeredAfter wait: Duration = .zero
    ) -> EndingJudge {
        EndingJudge(
            record: record,
            settleTime: settleTime,
            isBeingIssued: isBeingIssued,
            retry: RetryPolicy(base: .seconds(2), cap: .seconds(600), stuckInterval: .seconds(3_600)),
            now: now,
            askedAt: now - wait,
            jitter: 0.5
        )
    }

    private static func text(_ verdict: EndingJudge.Verdict) -> String {
        let what =
            switch verdict.update {
            case .remove(claim, let outcome): "remove \(outcome)"
            case .settle(claim, let due): "look again in \(now.duration(to: due).components.seconds)"
            case .end(claim, let until): "ends in \(now.duration(to: until).components.seconds)"
            case .release(claim, let due): "free in \(now.duration(to: due).components.seconds)"
            case .quarantine(claim, let failure): "quarantine \(failure.code)"
            case .attempt(claim, let failure, let due, let isStuck):
                "\(isStuck ? "stuck" : "retry") \(failure.code) in \(now.duration(to: due).components.seconds)"
            default: "something else"
            }
        return "\(what), \(verdict.event?.description ?? "silent")"
    }

    struct Row: CustomTestStringConvertible {
        let state: LeaseState
        let outcome: RevocationOutcome
        let verdict: String
        var testDescription: String { "\(state), \(outcome.value): \(verdict)" }

        init(_ state: LeaseState, _ outcome: RevocationOutcome, _ verdict: String) {
            (self.state, self.outcome, self.verdict) = (state, outcome, verdict)
        }
    }

    static let handedOut: [LeaseState] = [.revoking, .stuck, .ending, .quarantined]

    static let outcomes: [Row] =
        handedOut.flatMap { state in
            [
                Row(state, .revoked, "remove revoked, revoked"),
                Row(state, .alreadyGone, "remove alreadyGone, revoked"),
                Row(state, .provenGone, "remove alreadyGone, revoked"),
                Row(state, .notOurs, "remove notOurs, notOurs"),
                Row(state, .endsByItself(at: now + .seconds(50)), "ends in 50, ending"),
                Row(state, .endsByItself(at: now), "remove ended, revoked"),
            ]
        } + [
            Row(.settling, .revoked, "look again in 50, silent"),
            Row(.settling, .alreadyGone, "look again in 50, silent"),
            Row(.settling, .provenGone, "remove alreadyGone, revoked"),
            Row(.settling, .notOurs, "remove notOurs, notOurs"),
            Row(.settling, .endsByItself(at: now + .seconds(50)), "ends in 50, ending"),
        ]

    @Test(arguments: outcomes)
    func everyOutcomeInEveryState(_ row: Row) {
        #expect(Self.text(Self.judge(Self.record(row.state)).verdict(.success(row.outcome))) == row.verdict)
    }

    @Test func aSettledLeaseIsOverWhenNothingIsThere() {
        let judge = Self.judge(Self.record(.settling, age: .seconds(60)))
        #expect(Self.text(judge.verdict(.success(.alreadyGone))) == "remove alreadyGone, revoked")
        #expect(Self.text(judge.verdict(.success(.revoked))) == "remove revoked, revoked")
    }

    @Test func anAnswerTellsOfTheMomentOfTheQuestion() {
        let judge = Self.judge(Self.record(.settling, age: .seconds(65)), answeredAfter: .seconds(10))
        #expect(Self.text(judge.verdict(.success(.alreadyGone))) == "look again in 0, silent")
        #expect(Self.text(judge.verdict(.success(.revoked))) == "look again in 0, silent")
        #expect(Self.text(judge.verdict(.success(.provenGone))) == "remove alreadyGone, revoked")
    }

    @Test func whileTheIssuingCallIsOutNothingProvesAnything() {
        let old = Self.record(.settling, age: .seconds(3_600))
        let judge = Self.judge(old, isBeingIssued: true)
        #expect(Self.text(judge.verdict(.success(.alreadyGone))) == "look again in 1, silent")
        #expect(Self.text(judge.verdict(.success(.provenGone))) == "look again in 1, silent")
        #expect(Self.text(judge.verdict(.success(.revoked))) == "look again in 1, silent")
    }

    struct FailureRow: CustomTestStringConvertible {
        let failure: BackendFailure
        let verdict: String
        var testDescription: String { "\(failure.kind): \(verdict)" }

        init(_ failure: BackendFailure, _ verdict: String) { (self.failure, self.verdict) = (failure, verdict) }
    }

    static let failures = [
        FailureRow(BackendFailure(.transient, "no"), "retry transient in 1, revocationFailed"),
        FailureRow(BackendFailure(.ambiguous, "no"), "retry ambiguous in 1, revocationFailed"),
        FailureRow(BackendFailure(.transient, "no", retryAfter: .seconds(9)), "retry transient in 9, revocationFailed"),
        FailureRow(BackendFailure(.denied, code: "2BP01", "no"), "stuck 2BP01 in 3600, revocationStuck"),
        FailureRow(BackendFailure(.gone, "no"), "remove alreadyGone, revoked"),
        FailureRow(BackendFailure(.transient, scope: .target, "no"), "free in 0, silent"),
        FailureRow(BackendFailure(.denied, scope: .target, "no"), "free in 0, silent"),
        FailureRow(.wrongTarget(found: "other"), "free in 0, silent"),
        FailureRow(
            BackendFailure(
                .denied,
                code: "unreadable",
                "no",
                underlying: UnreadableHandle(underlying: CancellationError())
            ),
            "quarantine unreadable, quarantined"
        ),
        FailureRow(
            BackendFailure(reading: CancellationError(), during: .revoke),
            "retry foreignError in 1, revocationFailed"
        ),
    ]

    @Test(arguments: failures)
    func everyFailure(_ row: FailureRow) {
        #expect(Self.text(Self.judge(Self.record(.revoking)).verdict(.failure(row.failure))) == row.verdict)
    }

    @Test(arguments: [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (4_000, 300)])
    func theWaitGrowsWithTheAttempts(attempts: UInt32, seconds: Int) {
        let judge = Self.judge(Self.record(.revoking, attempts: attempts))
        let verdict = judge.verdict(.failure(BackendFailure(.transient, "no")))
        #expect(Self.text(verdict) == "retry transient in \(seconds), revocationFailed")
    }

    @Test func goneDuringSettlingIsAHintOnly() {
        let judge = Self.judge(Self.record(.settling))
        #expect(Self.text(judge.verdict(.failure(BackendFailure(.gone, "no")))) == "look again in 50, silent")
    }
}
