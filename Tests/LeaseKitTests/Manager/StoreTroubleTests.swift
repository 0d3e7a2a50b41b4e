// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// A store that cannot be reached, or whose answers get lost, leaves nothing behind.
@Suite struct StoreTroubleTests {
    private static func run(
        _ body: @escaping @Sendable (ManagerFixture, StoreScript) async throws -> Void
    ) throws {
        let script = StoreScript()
        try ManagerFixture.run({ $0.wrapStore = { script.store($0) } }) { fixture in
            try await body(fixture, script)
        }
    }

    struct Row: CustomTestStringConvertible {
        let fault: StoreScript.Fault
        let code: LeaseError.Code
        let word: String
        var testDescription: String { "\(fault)" }
    }

    static let rows = [
        Row(fault: .refused, code: .storeRefused, word: "make room"),
        Row(fault: .unavailable, code: .storeUnavailable, word: "try again"),
        Row(fault: .doneAndLost, code: .storeUnknown, word: "lost"),
        Row(fault: .lost, code: .storeUnknown, word: "lost"),
    ]

    @Test(arguments: rows)
    func anInsertionThatFailsCallsNoBackend(_ row: Row) throws {
        try Self.run { fixture, script in
            script.next(.insert, row.fault)
            await expectRefusal(row.code, row.word) { try await fixture.mount.issue("app") }
            #expect(fixture.target.arrivals(of: .issue) == 0)
            try await fixture.wait(.seconds(120))
            try await fixture.expectNoLeases()
        }
    }

    @Test(arguments: rows)
    func anActivationThatFailsWithholdsTheSecretAndEndsTheCredential(_ row: Row) throws {
        try Self.run { fixture, script in
            script.next(.activate, row.fault)
            await expectRefusal(row.code, row.word) { try await fixture.mount.issue("app") }
            try await fixture.wait(.seconds(5))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test(arguments: rows)
    func aHandOverThatFailsIsMadeUpForByTheDeadline(_ row: Row) throws {
        try Self.run { fixture, script in
            fixture.target.script(.issue, .failAfter)
            script.next(.handOver, row.fault)
            await expectRefusal(.backendFailed) { try await fixture.mount.issue("app") }
            try await fixture.wait(.seconds(120))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aRenewalWhoseAnswerIsLostIsReadAgain() throws {
        try Self.run { fixture, script in
            let lease = try await fixture.mount.issue("app")
            script.next(.extend, .doneAndLost)
            let outcome = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(7_200)))
            #expect(try await fixture.manager.lease(lease.id)?.expiresAt == outcome.expiresAt)
            script.next(.extend, .lost)
            await expectRefusal(.storeUnknown) {
                try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(9_000)))
            }
            #expect(try await fixture.manager.lease(lease.id)?.expiresAt == outcome.expiresAt)
        }
    }

    @Test func aRemovalThatIsLostIsDoneAgainOnceTheClaimHasLapsed() throws {
        try Self.run { fixture, script in
            let lease = try await fixture.mount.issue("app")
            script.next(.remove, .lost)
            let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(120)))
            #expect((report.alreadyGone, report.isComplete) == (1, true))
            #expect(fixture.target.history.filter { $0.action == .ended }.count == 1)
        }
    }

    @Test func anOrderWhoseAnswerIsLostIsPlacedOnce() throws {
        try Self.run { fixture, script in
            for _ in 0..<3 { _ = try await fixture.mount.issue("app") }
            script.next(.other(.place), .doneAndLost)
            #expect(try await fixture.manager.revoke(.prefix("database")).revoked == 3)
            script.next(.other(.place), .lost)
            _ = try await fixture.mount.issue("app")
            #expect(try await fixture.manager.revoke(.prefix("database")).revoked == 1)
            script.next(.other(.place), .unavailable)
            await expectRefusal(.storeUnavailable) { try await fixture.manager.revoke(.prefix("database")) }
        }
    }

    @Test func aStoreInTroubleIsToldAndTriedAgain() throws {
        try Self.run { fixture, script in
            let lease = try await fixture.mount.issue("short")
            script.next(.other(.claimDue), .unavailable, .unavailable, .unavailable)
            try await fixture.wait(.seconds(70))
            #expect(fixture.log.count(.storeTrouble) == 3)
            #expect(fixture.target.principal(lease.secret.username) == nil)
        }
    }

    @Test func anAdoptionWhoseAnswerWasLostCanBeMadeAgain() throws {
        try Self.run { fixture, script in
            try await fixture.expectIssue()
            fixture.target.replace(by: "target-2")
            script.next(.other(.adopt), .doneAndLost)
            await expectRefusal(.storeUnknown) { try await fixture.manager.adoptTarget(at: "database") }
            // The store has it: the target from before is not the right one any more.
            fixture.target.replace(by: "target-1")
            await expectRefusal(.targetMismatch) { try await fixture.mount.issue("app") }
            fixture.target.replace(by: "target-2")
            #expect(try await fixture.manager.adoptTarget(at: "database") == "target-2")
            try await fixture.expectIssue()
        }
    }

    @Test func aStoreThatCannotBeOpenedEndsRunAndNamesTheFix() throws {
        let script = StoreScript()
        script.next(.other(.open), .refused)
        try ManagerWorld.run { world in
            let manager = LeaseManager(
                store: script.store(world.store),
                configuration: world.configuration(),
                time: world.time
            )
            await expectRefusal(.storeRefused, "make room") { try await manager.run() }
            #expect(world.log.events(.stopped).map(\.note) == ["the store could not be opened"])
            await expectRefusal(.managerStopped) { try await manager.run() }
        }
    }

    @Test(arguments: [StoreScript.Fault.doneAndLost, .lost])
    func aSessionOfWhichNobodyKnowsWhetherItWasWrittenDownIsGivenUp(fault: StoreScript.Fault) throws {
        try Self.run { fixture, script in
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            script.next(.insert, fault)
            script.next(.handOver, .unavailable, .unavailable, .unavailable)
            await expectRefusal(.storeUnknown) {
                try await sessions.issue("job", IssueOptions(period: .seconds(3_600), requestID: "one"))
            }
            try await fixture.wait(.seconds(60))
            try await fixture.expectNoLeases()
            // The request can be made again.
            _ = try await sessions.issue("job", IssueOptions(requestID: "one"))
        }
    }

    @Test func aLeaseThatTurnedActiveWithNobodyToHoldItIsGivenUpUntilTheStoreKnowsIt() throws {
        try Self.run { fixture, script in
            script.next(.activate, .doneAndLost)
            script.next(.handOver, .unavailable, .unavailable, .unavailable)
            script.next(.other(.place), .unavailable, .lost)
            await expectRefusal(.storeUnknown) { try await fixture.mount.issue("app") }
            #expect(fixture.target.liveCredentials.count == 1)
            try await fixture.wait(.seconds(10))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
            #expect(fixture.log.count(.issueFailed) == 1)
        }
    }

    @Test func whatWasGivenUpIsTriedAgainAlsoWhenTheCallerIsGone() throws {
        try Self.run { fixture, script in
            fixture.target.script(.issue, .delay(.seconds(5)))
            script.next(.handOver, .unavailable, .unavailable)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { _ = try await fixture.mount.issue("app") }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            // Well before the deadline of the pending lease.
            try await fixture.wait(.seconds(8))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }
}
