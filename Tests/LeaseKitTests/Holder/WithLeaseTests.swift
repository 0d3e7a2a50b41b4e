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
            // Renewed once, up to its maximum of two minutes.
            #expect(fixture.now == LeaseInstant(secondsSinceEpoch: 1_767_225_720))
        }
    }

    @Test func withoutRenewalTheTimeFirstGrantedCounts() throws {
        try ManagerFixture.run { fixture in
            await #expect(throws: LeaseLost.self) {
                try await fixture.mount.withLease("short", renewing: nil) { _ in try await fixture.wait(.seconds(600)) }
            }
            #expect(fixture.now == LeaseInstant(secondsSinceEpoch: 1_767_225_660))
            #expect(fixture.target.arrivals(of: .renew) == 0)
        }
    }

    @Test func theLeaseIsRenewedForAsLongAsTheBodyRuns() throws {
        try ManagerFixture.run { fixture in
            try await fixture.mount.withLease("app") { lease in
                try await fixture.wait(.seconds(20 * 3_600))
                #expect(fixture.target.check(lease.secret))
            }
            #expect(fixture.target.arrivals(of: .renew) > 20)
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func aRenewalByTheBodyIsFollowed() throws {
        try ManagerFixture.run { fixture in
            try await fixture.mount.withLease("short", renewing: nil) { lease in
                try await fixture.wait(.seconds(50))
                _ = try await fixture.mount.renew(lease.id)
                try await fixture.wait(.seconds(50))
                #expect(fixture.target.check(lease.secret))
            }
        }
    }

    @Test(arguments: [0, 1, 2, 3])
    func aRevocationByAnybodyCancelsTheBodyAtOnce(how: Int) throws {
        try ManagerFixture.run { fixture in
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            let session = try await sessions.issue("job")
            let begun = fixture.now
            let error = await #expect(throws: LeaseLost.self) {
                try await fixture.mount.withLease("app", IssueOptions(parent: session.id)) { lease in
                    let selection: LeaseSelection =
                        switch how {
                        case 0: .lease(lease.id)
                        case 1: .tree(session.id)
                        case 2: .prefix("database/creds")
                        default: .mount(fixture.mount.id)
                        }
                    try await fixture.wait(.seconds(10))
                    _ = try? await fixture.manager.revoke(selection)
                    try await fixture.wait(.seconds(3_600))
                }
            }
            #expect(error?.reason == .revoked)
            #expect(begun.duration(to: fixture.now) < .seconds(15))
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func aRevocationThatNobodyTellsOfIsNoticedAtTheNextRenewal() throws {
        try ManagerFixture.run { fixture in
            let source = DeafSource(mount: fixture.mount)
            let error = await #expect(throws: LeaseLost.self) {
                try await source.withLease("app") { lease in
                    _ = try await fixture.manager.revoke(.lease(lease.id))
                    try await fixture.wait(.seconds(7_200))
                }
            }
            #expect(error?.reason == .revoked)
        }
    }

    @Test func whoDropsTheCredentialIsNoticedAtTheNextRenewal() throws {
        try ManagerFixture.run { fixture in
            let error = await #expect(throws: LeaseLost.self) {
                try await fixture.mount.withLease("app") { lease in
                    fixture.target.drop(lease.secret.username)
                    try await fixture.wait(.seconds(7_200))
                }
            }
            #expect(error?.reason == .vanished)
        }
    }

    @Test func aTargetThatHangsHoldsUpNobodyForLong() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.revoke, .hang)
            let begun = fixture.now
            let result = try await fixture.mount.withLease("app") { _ in 7 }
            #expect(result == 7)
            let took = begun.duration(to: fixture.now)
            #expect(took <= .seconds(60), "\(took)")
            // It goes on in the background.
            fixture.target.releaseHanging(applying: false)
            try await fixture.wait(.seconds(600))
            #expect(fixture.target.principals.isEmpty)
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

/// A source that cannot tell what others do: as a plain remote broker is.
private struct DeafSource: LeaseSource {
    let mount: Mount<InMemoryRequest, FakeCredential>

    var time: any LeaseTime { mount.time }
    func issue(_ request: InMemoryRequest, _ options: IssueOptions) async throws -> Lease<FakeCredential> {
        try await mount.issue(request, options)
    }
    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        try await mount.renew(id, options)
    }
    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        try await mount.revoke(id, options)
    }
}
