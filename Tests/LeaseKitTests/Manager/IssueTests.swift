// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct IssueTests {
    @Test func aLeaseIsWrittenDownBeforeTheBackendIsCalled() throws {
        let seen = Locked<[LeaseState?]>([])
        let world = Locked<InMemoryLeaseStore?>(nil)
        try ManagerWorld.run({ setup in
            setup.crash = { step in
                guard step == .beforeIssue, let store = world.withLock({ $0 }) else { return }
                let pending = try await store.page(.all, after: nil, limit: 10).value.records
                seen.withLock { $0 = pending.map(\.state) }
            }
        }) { outer in
            world.withLock { $0 = outer.store }
            try await outer.run { fixture in
                let lease = try await fixture.mount.issue("app")
                #expect(seen.withLock { $0 } == [.pending])
                #expect(try await fixture.manager.lease(lease.id)?.state == .active)
            }
        }
        world.withLock { $0 = nil }
    }

    @Test func whatIsHandedOutIsWhatTheStoreAndTheTargetHold() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(600), owner: "billing"))
            #expect(lease.path == "database/creds/app")
            #expect(lease.expiresAt == fixture.now + .seconds(600))
            #expect(lease.validUntil == fixture.time.read().continuous + .seconds(600))
            #expect(lease.terms.boundBy == .request)
            #expect(fixture.target.check(lease.secret))
            let record = try #require(try await fixture.manager.lease(lease.id))
            #expect(record.expiresAt == lease.expiresAt)
            #expect(record.owner == "billing")
            #expect(record.generation == 2)
            let principal = try #require(fixture.target.liveCredentials.first)
            #expect(principal.mark == LeaseMark(deployment: "tests", lease: lease.id, epoch: 1))
            #expect(principal.endsAt == lease.expiresAt + .seconds(30))
            #expect(fixture.log.kinds(of: lease.id) == [.issued])
        }
    }

    @Test func aRepeatedRequestFindsItsLeaseAndMakesNothing() throws {
        try ManagerFixture.run { fixture in
            let first = try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
            let error = await expectRefusal(.requestRepeated, "r-1", "revoke that lease", "new request id") {
                try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
            }
            #expect(error?.lease == first.id)
            #expect(fixture.target.liveCredentials.count == 1)
            #expect(fixture.target.arrivals(of: .issue) == 1)
        }
    }

    @Test func aRequestIDIsFreeAgainOnceItsLeaseIsGone() throws {
        try ManagerFixture.run { fixture in
            let first = try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
            try await fixture.mount.revoke(first.id)
            let second = try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
            #expect(fixture.target.check(second.secret))
        }
    }

    @Test func aRequestThatIsStillBeingAnsweredSaysSo() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.issue, .delay(.seconds(5)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await fixture.mount.issue("app", IssueOptions(requestID: "r-1")) }
                try await fixture.wait(.seconds(1))
                await expectRefusal(.requestRepeated, "r-1", "right now", "ask again when it is over") {
                    try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aRequestWhoseFirstAttemptIsBeingUndoneSaysSo() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.issue, .failAfter)
            await expectRefusal(.backendFailed) { try await fixture.mount.issue("app", IssueOptions(requestID: "r-1")) }
            await expectRefusal(.requestRepeated, "is being ended", "ask again when it is gone") {
                try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
            }
            try await fixture.wait(.seconds(200))
            _ = try await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))
        }
    }

    @Test func ofManyRepeatedRequestsAtOnceOneGetsTheCredential() throws {
        try ManagerFixture.run { fixture in
            let won = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        (try? await fixture.mount.issue("app", IssueOptions(requestID: "r-1"))) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 1)
            #expect(fixture.target.liveCredentials.count == 1)
        }
    }

    @Test func aHungBackendIsWaitedForUntilTheDeadlineAndNoLonger() throws {
        try ManagerFixture.run({ $0.settings.issueTimeout = .seconds(7) }) { fixture in
            fixture.target.script(.issue, .hang)
            let start = fixture.now
            await expectRefusal(.deadlineExceeded, "within 7s", "is ended", "try again") {
                try await fixture.mount.issue("app")
            }
            #expect(fixture.now == start + .seconds(7))
            fixture.target.releaseHanging()
            try await fixture.wait(.seconds(200))
            #expect(fixture.target.liveCredentials.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aRequestThatIsAppliedLateIsEndedAllTheSame() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.issue, .late(.seconds(75)))
            await expectRefusal(.backendFailed, "no answer to issue") { try await fixture.mount.issue("app") }
            try await fixture.wait(.seconds(46))
            #expect(fixture.target.principals.count == 1)
            try await fixture.wait(.seconds(60))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aCancelledCallerLeavesNothingBehind() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.issue, .delay(.seconds(5)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { _ = try await fixture.mount.issue("app") }
                    #expect(fixture.time.read().continuous < .seconds(2))
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            try await fixture.wait(.seconds(10))
            #expect(fixture.target.arrivals(of: .issue) == 1)
            #expect(fixture.target.liveCredentials.isEmpty)
            #expect(fixture.log.events(.issueFailed).first?.cause?.reason == .callerGone)
        }
    }

    @Test func whoIsCancelledBeforeHandAsksForNothing() throws {
        try ManagerFixture.run { fixture in
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    await #expect(throws: CancellationError.self) { _ = try await fixture.mount.issue("app") }
                }
            }
            try await fixture.expectNoLeases()
            #expect(fixture.target.arrivals(of: .issue) == 0)
        }
    }

    struct FaultRow: CustomTestStringConvertible {
        let fault: TargetFault
        let code: LeaseError.Code
        var testDescription: String { "\(fault) is \(code)" }
    }

    static let faults = [
        FaultRow(fault: .failBefore(.transient), code: .backendFailed),
        FaultRow(fault: .failBefore(.denied), code: .backendDenied),
        FaultRow(fault: .failBefore(.gone), code: .credentialGone),
        FaultRow(fault: .failBefore(.ambiguous), code: .backendFailed),
        FaultRow(fault: .failBefore(.transient, scope: .target), code: .targetUnavailable),
        FaultRow(fault: .failAfter, code: .backendFailed),
        FaultRow(fault: .loseReply, code: .backendFailed),
        FaultRow(fault: .lose, code: .backendFailed),
    ]

    @Test(arguments: faults, [BackendAbilities.CallStyle.suspending, .immediate])
    func whateverGoesWrongNothingIsLeftBehind(_ row: FaultRow, style: BackendAbilities.CallStyle) throws {
        try ManagerFixture.run({ $0.style = style }) { fixture in
            fixture.target.script(.issue, row.fault)
            await expectRefusal(row.code) { try await fixture.mount.issue("app") }
            try await fixture.wait(.seconds(120))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
            #expect(fixture.log.count(.issued) == 0)
            #expect(fixture.log.count(.issueFailed) <= 1)
            try await fixture.expectIssue()
        }
    }

    @Test func anEarlierEndThanAskedIsTheLeasesEnd() throws {
        try ManagerFixture.run({ $0.roles["app"]?.longestLife = .seconds(900) }) { fixture in
            let lease = try await fixture.mount.issue("app")
            #expect(lease.expiresAt == fixture.now + .seconds(900))
            #expect(lease.validUntil == .seconds(900))
            #expect(try await fixture.manager.lease(lease.id)?.expiresAt == lease.expiresAt)
        }
    }

    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func theSameCallsWorkInBothStyles(style: BackendAbilities.CallStyle) throws {
        try ManagerFixture.run({ $0.style = style }) { fixture in
            let leases = try await withThrowingTaskGroup(of: Lease<FakeCredential>.self) { group in
                for _ in 0..<50 { group.addTask { try await fixture.mount.issue("app") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(leases.allSatisfy { fixture.target.check($0.secret) })
            #expect(Set(leases.map(\.id)).count == 50)
            let report = try await fixture.manager.revoke(.prefix("database"))
            #expect(report.revoked == 50)
            #expect(fixture.target.liveCredentials.isEmpty)
        }
    }

    @Test func withoutRunACallThatNeedsItSaysSo() throws {
        try ManagerWorld.run { world in
            let fixture = try await world.makeManager()
            await expectRefusal(.managerNotRunning, "run()", "task group or service group") {
                try await fixture.mount.issue("app")
            }
            #expect(world.time.read().continuous == .seconds(5))
        }
    }

    @Test func aBackendThatNeverWaitsNeedsNoRun() throws {
        try ManagerWorld.run({ $0.style = .immediate }) { world in
            let fixture = try await world.makeManager()
            let lease = try await fixture.mount.issue("app")
            #expect(fixture.target.check(lease.secret))
            #expect(
                try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(7_200))).granted
                    == .seconds(7_200)
            )
            #expect(try await fixture.mount.revoke(lease.id).revoked == 1)
            #expect(!fixture.target.check(lease.secret))
        }
    }

    @Test func whoComesBeforeRunWaitsForIt() throws {
        try ManagerWorld.run { world in
            let fixture = try await world.makeManager()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let lease = try await fixture.mount.issue("app")
                    #expect(fixture.target.check(lease.secret))
                }
                try await world.time.sleep(for: .seconds(3))
                group.addTask { try await fixture.manager.run() }
                try await group.next()
                fixture.manager.beginShutdown()
                try await group.waitForAll()
            }
        }
    }
}
