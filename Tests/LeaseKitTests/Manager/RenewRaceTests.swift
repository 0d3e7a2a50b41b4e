// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct RenewRaceTests {
    struct FaultRow: CustomTestStringConvertible {
        let fault: TargetFault
        let needsConfirmation: Bool
        var testDescription: String { "\(fault)" }
    }

    static let faults = [
        FaultRow(fault: .failBefore(.transient), needsConfirmation: false),
        FaultRow(fault: .failBefore(.denied), needsConfirmation: false),
        FaultRow(fault: .failBefore(.transient, scope: .target), needsConfirmation: false),
        FaultRow(fault: .failAfter, needsConfirmation: true),
        FaultRow(fault: .lose, needsConfirmation: true),
        FaultRow(fault: .loseReply, needsConfirmation: true),
        FaultRow(fault: .hang, needsConfirmation: true),
    ]

    @Test(arguments: faults)
    func aFailedRenewalLeavesTheLeaseAsItWas(_ row: FaultRow) throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            try await fixture.wait(.seconds(600))
            fixture.target.script(.renew, row.fault)
            await #expect(throws: LeaseError.self) { try await fixture.mount.renew(lease.id) }
            let record = try #require(try await fixture.manager.lease(lease.id))
            #expect(record.state == .active)
            #expect(record.expiresAt == lease.expiresAt)
            #expect(record.needsConfirmation == row.needsConfirmation)
            #expect(fixture.log.count(.renewalFailed) == 1)
            #expect(fixture.target.liveCredentials.count == 1)
        }
    }

    @Test func afterAnAmbiguousOneTheRecordedEndIsAppliedAgainFirst() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            try await fixture.wait(.seconds(600))
            fixture.target.script(.renew, .failAfter)
            await expectRefusal(.backendFailed) {
                try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(50_000)))
            }
            let outcome = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(7_200)))
            #expect(outcome.granted == .seconds(7_200))
            let moves = fixture.target.history.compactMap { event -> LeaseInstant? in
                if case .moved(let end) = event.action { end } else { nil }
            }
            let slack = Duration.seconds(30)
            #expect(
                moves == [
                    lease.issuedAt + .seconds(50_600) + slack, lease.expiresAt + slack, outcome.expiresAt + slack,
                ]
            )
            #expect(try await fixture.manager.lease(lease.id)?.needsConfirmation == false)
        }
    }

    @Test func aCredentialThatIsGoneTakesItsTreeAlong() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            fixture.target.drop(parent.secret.username)
            try await fixture.wait(.seconds(1))
            await expectRefusal(.credentialGone) { try await fixture.mount.renew(parent.id) }
            try await fixture.wait(.seconds(5))
            #expect(!fixture.target.check(child.secret))
            try await fixture.expectNoLeases()
            #expect(fixture.log.events(.revoked).last?.cause?.reason == .credentialGone)
        }
    }

    @Test func twoRenewalsAtOnceNeverTakeAnythingBack() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.renew, .delay(.seconds(2)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(9_000))) }
                try await fixture.wait(.seconds(1))
                group.addTask { _ = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(60))) }
                try await group.waitForAll()
            }
            let record = try #require(try await fixture.manager.lease(lease.id))
            let principal = try #require(fixture.target.principals.first)
            #expect(record.expiresAt == lease.issuedAt + .seconds(9_000))
            // The second one plans on what the first one has made of the lease, and only makes sure of it.
            #expect(fixture.target.arrivals(of: .renew) == 2)
            #expect(principal.endsAt == record.expiresAt + .seconds(30))
        }
    }

    @Test func manyRenewalsAtOnceGrantWhatTheTargetKeeps() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            let ends = try await withThrowingTaskGroup(of: LeaseInstant.self) { group in
                for number in 1...40 {
                    let increment = Duration.seconds(3_600 + (number * 7) % 40 * 100)
                    group.addTask {
                        try await fixture.mount.renew(lease.id, RenewOptions(increment: increment)).expiresAt
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let record = try #require(try await fixture.manager.lease(lease.id))
            let principal = try #require(fixture.target.principals.first)
            #expect(record.expiresAt == ends.max())
            #expect(principal.endsAt == record.expiresAt + .seconds(30))
        }
    }

    @Test func anOrderThatComesDuringARenewalWins() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.renew, .slowReply(.seconds(3)))
            try await fixture.wait(.seconds(1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await expectRefusal(.leaseNotFound, "or it was revoked; issue a new one") {
                        try await fixture.mount.renew(lease.id)
                    }
                }
                try await fixture.wait(.seconds(1))
                let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(1)))
                #expect(report.revoked == 1)
                try await group.waitForAll()
            }
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aRevokedLeaseIsNeverRenewed() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.partition(.refusing)
            let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .zero))
            await expectRefusal(.leaseNotActive, "order \(report.order) is revoking it") {
                try await fixture.mount.renew(lease.id)
            }
            fixture.target.heal()
        }
    }

    @Test func aCancelledRenewalLeavesADoubtThatTheNextOneSettles() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.renew, .delay(.seconds(2)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        _ = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(7_200)))
                    }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            #expect(try await fixture.manager.lease(lease.id)?.needsConfirmation == true)
            try await fixture.wait(.seconds(3))
            let outcome = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(8_000)))
            #expect(outcome.granted == .seconds(8_000))
            #expect(fixture.target.principals.first?.endsAt == outcome.expiresAt + .seconds(30))
        }
    }

    @Test func aRenewalThatWasDecidedBeforeTheExpiryWins() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            try await fixture.wait(.milliseconds(59_999))
            let outcome = try await fixture.mount.renew(lease.id)
            try await fixture.wait(.seconds(30))
            #expect(fixture.target.check(lease.secret))
            #expect(fixture.log.count(.expired) == 0)
            try await fixture.wait(.seconds(31))
            #expect(fixture.now > outcome.expiresAt)
            #expect(!fixture.target.check(lease.secret))
        }
    }

    @Test func shorteningWritesTheRecordFirst() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.renew, .failBefore(.transient))
            let options = RenewOptions(increment: .seconds(60), mayShorten: true)
            await expectRefusal(.backendFailed) { try await fixture.mount.renew(lease.id, options) }
            let record = try #require(try await fixture.manager.lease(lease.id))
            #expect(record.expiresAt == lease.issuedAt + .seconds(60))
            #expect(record.needsConfirmation)
            #expect(fixture.target.principals.first?.endsAt == lease.expiresAt + .seconds(30))
        }
    }

    @Test func whatACallerLeftBehindIsNotOvertakenByTheNextCallForTheLease() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.renew, .delay(.seconds(5)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await fixture.mount.renew(lease.id) }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            await expectRefusal(.deadlineExceeded, "has not returned yet") { try await fixture.mount.renew(lease.id) }
            #expect(fixture.target.arrivals(of: .renew) == 1)
            // A revocation waits for it, and is not refused.
            let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(2)))
            #expect((report.stillTried, fixture.target.arrivals(of: .revoke)) == (1, 0))
            #expect(try await fixture.manager.waitForReport(of: report.order, atMost: .seconds(10)).revoked == 1)
            #expect(fixture.target.arrivals(of: .revoke) == 1)
        }
    }
}
