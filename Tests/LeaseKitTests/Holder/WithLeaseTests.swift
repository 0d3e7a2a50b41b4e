// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct WithLeaseTests {
    @Test func theBodyGetsALiveCredentialThatIsEndedAfterIt() throws {
        try ManagerFixture.run { fixture in
            let name = try await fixture.mount.withLease("app") { lease in
                #expect(fixture.target.check(lease.secret))
                return lease.secret.username
            }
            #expect(fixture.target.principal(name) == nil)
            #expect(fixture.log.events(.revoked).map(\.cause?.reason) == [.scopeEnded])
        }
    }

    @Test func whatTheBodyThrowsComesOutAndTheLeaseIsEnded() throws {
        try ManagerFixture.run { fixture in
            await #expect(throws: ForeignError.self) {
                try await fixture.mount.withLease("app") { _ in throw ForeignError() }
            }
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func anIssueThatFailsNeverRunsTheBody() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.issue, .failBefore(.denied))
            await expectRefusal(.backendDenied) {
                try await fixture.mount.withLease("app") { _ in Issue.record("the body ran") }
            }
        }
    }

    @Test func whenTheTimeIsOverTheBodyIsCancelledAndTheLeaseIsLost() throws {
        try ManagerFixture.run { fixture in
            let wasCancelled = Locked(false)
            let error = await #expect(throws: LeaseLost.self) {
                try await fixture.mount.withLease("short") { _ in
                    do { try await fixture.wait(.seconds(3_600)) } catch { wasCancelled.withLock { $0 = true } }
                }
            }
            #expect(error?.reason == .expired)
            #expect(error?.path == "database/creds/short")
            #expect(error?.description.hasSuffix("was lost: its time was over") == true)
            #expect(wasCancelled.withLock { $0 })
            #expect(fixture.now == LeaseInstant(secondsSinceEpoch: 1_767_225_660))
        }
    }

    @Test func aCancelledCallerEndsTheLeaseToo() throws {
        try ManagerFixture.run { fixture in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await fixture.mount.withLease("app") { _ in try await fixture.wait(.seconds(600)) }
                    }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            try await fixture.wait(.seconds(1))
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func whatTheBodyMakesOfACancellationIsTheResult() throws {
        try ManagerFixture.run { fixture in
            let result = await withTaskGroup(of: String?.self) { group in
                group.addTask {
                    try? await fixture.mount.withLease("app") { _ in
                        do { try await fixture.wait(.seconds(600)) } catch { return "half done" }
                        return "done"
                    }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(result == "half done")
        }
    }

    @Test(arguments: [TargetFault.failBefore(.denied), .failAfter, .lose])
    func aCleanUpThatFailsNeverTakesTheResultsPlace(fault: TargetFault) throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.revoke, fault)
            let result = try await fixture.mount.withLease("app") { _ in 7 }
            #expect(result == 7)
            fixture.target.script(.revoke, fault)
            await #expect(throws: ForeignError.self) {
                try await fixture.mount.withLease("app") { _ in throw ForeignError() }
            }
            try await fixture.manager.rearm(mountAt: "database")
            try await fixture.wait(.seconds(600))
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func whatHangsOnTheLeaseIsEndedWithIt() throws {
        try ManagerFixture.run { fixture in
            let sessions: any LeaseSource<String, Void> = try await fixture.manager.mountSessions(at: "sessions")
            let source: any LeaseSource<InMemoryRequest, FakeCredential> = fixture.mount
            try await sessions.withLease("job") { job in
                for _ in 0..<3 { _ = try await source.issue("app", IssueOptions(parent: job.id)) }
                #expect(fixture.target.liveCredentials.count == 3)
            }
            #expect(fixture.target.principals.isEmpty)
        }
    }
}
