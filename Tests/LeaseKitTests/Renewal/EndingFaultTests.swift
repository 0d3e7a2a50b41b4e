// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What goes wrong when a process dies, and when an end meets another end or a renewal: F11 to F13 of the fault table.
@Suite struct EndingFaultTests {
    /// Before the credential is made, after, after the answer; after it was handed out; while its predecessor is ended.
    @Test(arguments: [
        CrashStep.beforeIssue, .issueApplied, .issueAnswered, .beforeRenew, .renewApplied, .beforeRevoke,
        .revokeApplied,
    ])
    func f11ACrashInARotationLeavesNothingThatNoRecordNames(step: CrashStep) throws {
        let crash = CrashPoints()
        try ManagerWorld.run {
            $0.crash = crash.hook
        } _: { world in
            try await world.run { fixture in
                try await fixture.holding { holder in
                    let credential = holder.credential("short", policy: RotationPolicy(grace: .seconds(1)))
                    let first = try await credential.get()
                    #expect(holder.target.check(first.secret))
                    // The next time: when it is renewed, replaced, or given back.
                    crash.arm(step)
                    #expect(await crash.waitForCrash() == step)
                    try await fixture.expectRecordsOfEverythingLive()
                    crash.bury()
                }
            }
            try await world.afterACrash { next in
                // One sweep, and everything live has a record; what nobody holds any more ends by its time.
                _ = try await next.manager.sweepOrphans(ofMountAt: "database")
                try await next.expectRecordsOfEverythingLive()
                try await next.wait(.seconds(300))
                #expect(next.target.liveCredentials.isEmpty)
                try await next.expectNoLeases()
            }
        }
    }

    @Test func f11ACrashInTheMiddleOfACascadeIsFinishedByTheNextProcess() throws {
        let crash = CrashPoints()
        try ManagerWorld.run {
            $0.crash = crash.hook
        } _: { world in
            try await world.run { fixture in
                let sessions = try await fixture.manager.mountSessions(at: "sessions")
                let job = try await sessions.issue("job")
                for _ in 0..<5 { try await fixture.expectIssue(IssueOptions(parent: job.id)) }
                crash.arm(.revokeApplied, occurrence: 3)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try? await fixture.manager.revoke(.tree(job.id)) }
                    _ = await crash.waitForCrash()
                    // Some are gone and some are not: the end of all of them was written down first.
                    #expect((1..<5).contains(fixture.target.liveCredentials.count))
                    crash.bury()
                    group.cancelAll()
                }
            }
            try await world.afterACrash { next in
                _ = try await next.manager.mountSessions(at: "sessions")
                try await next.wait(.seconds(120))
                // Long before their hour is over.
                #expect(next.target.liveCredentials.isEmpty)
                try await next.expectNoLeases()
            }
        }
    }

    @Test func f12RevokingTwiceIsDoneTwice() throws {
        try HolderFixture.run { holder in
            let lease = try await holder.mount.issue("app")
            // Two at once are both told that it is done, and so is whoever comes later.
            async let one = holder.mount.revoke(lease.id)
            async let other = holder.mount.revoke(lease.id)
            let reports = try await [one, other]
            #expect(reports.allSatisfy { $0.isComplete && $0.covered <= 1 })
            let again = try await holder.mount.revoke(lease.id)
            #expect(again.isComplete && again.covered == 0)
            let gone = try await holder.mount.issue("app")
            holder.target.drop(gone.secret.username)
            #expect(try await holder.mount.revoke(gone.id).isComplete)
            #expect(holder.target.principals.isEmpty)
        }
    }

    @Test(arguments: 1...20)
    func f13WhenRevocationAndRenewalMeetOneOfThemWins(seed: Int) throws {
        try HolderFixture.run { holder in
            let lease = try await holder.mount.issue("app")
            try await holder.wait(.milliseconds(seed))
            async let renewal = Result { try await holder.mount.renew(lease.id) }
            async let revocation = Result { try await holder.mount.revoke(lease.id) }
            let (renewed, revoked) = await (renewal, revocation)
            #expect((try? revoked.get())?.isComplete == true)
            #expect(holder.target.principals.isEmpty)
            #expect(try await holder.manager.lease(lease.id) == nil)
            // Renewed and then revoked, or revoked and refused: never the other way round, in the books or at the target.
            if case .failure(let error) = renewed {
                let codes: [LeaseError.Code] = [.leaseNotFound, .leaseNotActive, .credentialGone]
                #expect((error as? LeaseError).map { codes.contains($0.code) } == true, "\(error)")
            }
            let told = holder.log.kinds(of: lease.id).filter { [.renewed, .revoked].contains($0) }
            #expect(told.last == .revoked && told.count { $0 == .revoked } == 1)
            let done = holder.target.history.filter { $0.name == lease.secret.username }.map(\.action)
            #expect(done.last(where: { $0 != .arrived }) == .ended)
        }
    }

    @Test func f13AHolderNoticesAtOnceThatItsLeaseIsRevoked() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            try await holder.manager.revoke(.lease(first.lease))
            try await holder.waitUntil("it is replaced", within: 5) {
                credential.current.map { $0.generation > first.generation } ?? false
            }
            #expect(holder.news.count(.lost) == 1)
            #expect(holder.target.liveCredentials.count == 1)
        }
    }

    @Test func f13ALateAnswerDoesNotPutBackAnEndThatWasMovedSince() throws {
        try HolderFixture.run { holder in
            let slow = SlowSource(mount: holder.mount, delay: .seconds(5))
            let route = LeaseRoute<InMemoryRequest, FakeCredential>(slow, policy: RenewalPolicy(jitter: 0))
            let credential = holder.credential(through: route)
            let first = try await credential.get(within: .seconds(60))
            try await holder.waitUntil("it is renewed") { holder.renewals == 1 }
            // The renewal is done, and its answer on its way, when somebody cuts the lease short.
            let options = RenewOptions(increment: .seconds(60), mayShorten: true)
            let outcome = try await holder.mount.renew(first.lease, options)
            try await holder.wait(.seconds(6))
            #expect(try #require(credential.current).validUntil <= outcome.validUntil)
        }
    }

    @Test func f13WhoCutsALeaseShortIsHeardAtOnceEvenIfTheTargetDoesNotAnswer() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            holder.target.partition(.refusing)
            let options = RenewOptions(increment: .seconds(60), mayShorten: true)
            await #expect(throws: LeaseError.self) { try await holder.mount.renew(first.lease, options) }
            let end = holder.clock + .seconds(60)
            // No time passes, and the holder counts on no more than the record says.
            try await holder.wait(.nanoseconds(1))
            #expect(try #require(credential.current).validUntil <= end)
        }
    }
}

extension ManagerFixture {
    /// Expects that whatever is live at the target has a record.
    func expectRecordsOfEverythingLive(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for credential in target.liveCredentials {
            let lease = try #require(credential.mark?.lease)
            #expect(
                try await manager.lease(lease) != nil,
                "no record names \(credential.name)",
                sourceLocation: sourceLocation
            )
        }
    }
}

extension ManagerWorld {
    /// Runs `body` with the process that is started after a crash, on the same store and target.
    func afterACrash(_ body: (ManagerFixture) async throws -> Void) async throws {
        let backend = InMemoryBackend(target: target, time: time, roles: setup.roles)
        try await run(backend: backend, seed: 2, body)
    }
}

/// A broker whose answers to renewals take their time.
private struct SlowSource: LeaseSource {
    let mount: Mount<InMemoryRequest, FakeCredential>
    let delay: Duration

    var time: any LeaseTime { mount.time }
    func issue(_ request: InMemoryRequest, _ options: IssueOptions) async throws -> Lease<FakeCredential> {
        try await mount.issue(request, options)
    }
    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        let outcome = try await mount.renew(id, options)
        try await time.sleep(until: time.read().continuous + delay)
        return outcome
    }
    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        try await mount.revoke(id, options)
    }
    func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews {
        try await mount.nextChange(of: lease, at: path, since: known)
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous call comes to.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
