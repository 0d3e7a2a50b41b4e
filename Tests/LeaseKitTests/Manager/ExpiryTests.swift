// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct ExpiryTests {
    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func aLeaseEndsWithinASecondOfItsTime(style: BackendAbilities.CallStyle) throws {
        try ManagerFixture.run({ $0.style = style }) { fixture in
            let lease = try await fixture.mount.issue("short")
            try await fixture.wait(.seconds(59))
            #expect(fixture.target.check(lease.secret))
            try await fixture.wait(.seconds(2))
            #expect(fixture.target.principal(lease.secret.username) == nil)
            #expect(fixture.log.kinds(of: lease.id) == [.issued, .expired, .revoked])
            #expect(fixture.log.events(.revoked).first?.cause?.reason == .expired)
            try await fixture.expectNoLeases()
        }
    }

    @Test func leasesEndInTheOrderOfTheirTimes() throws {
        try ManagerFixture.run { fixture in
            let lengths = [50, 10, 40, 20, 30]
            for seconds in lengths { _ = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(seconds))) }
            try await fixture.wait(.seconds(60))
            let ends = fixture.target.history.filter { $0.action == .ended }
            #expect(ends.map { fixture.now - $0.at } == [50, 40, 30, 20, 10].map { .seconds($0) })
        }
    }

    @Test func aParentsExpiryEndsItsTreeChildrenFirst() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(100)))
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            let unbound = try await fixture.mount.issue(
                "app",
                IssueOptions(parent: child.id, outlivesParentTTL: true)
            )
            #expect(child.expiresAt == parent.expiresAt)
            #expect(unbound.expiresAt > parent.expiresAt)
            try await fixture.wait(.seconds(102))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
            let ended = fixture.target.history.filter { $0.action == .ended }.compactMap { $0.mark?.lease }
            #expect(Set(ended.prefix(2)).contains(unbound.id))
            #expect(ended.firstIndex(of: unbound.id) ?? 9 < ended.firstIndex(of: parent.id) ?? 0)
            #expect(fixture.log.kinds(of: parent.id) == [.issued, .expired, .orderPlaced, .revoked])
        }
    }

    @Test func aStuckChildDoesNotHoldItsParentBack() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            fixture.target.script(.revoke, .failBefore(.denied))
            let start = fixture.now
            let report = try await fixture.mount.revoke(parent.id, RevokeOptions(wait: .seconds(60)))
            #expect((report.revoked, report.stuck) == (1, 1))
            #expect(report.remaining.map(\.lease) == [child.id])
            // What is stuck is not waited for.
            #expect(start.duration(to: fixture.now) <= .seconds(2))
            #expect(fixture.target.check(child.secret))
            #expect(!fixture.target.check(parent.secret))
            // The parent's record stays as long as its child.
            #expect(try await fixture.manager.lease(parent.id)?.isHollow == true)
            try await fixture.manager.rearm(mountAt: "database")
            try await fixture.wait(.seconds(2))
            try await fixture.expectNoLeases()
        }
    }

    @Test func aChildThatNeedsItsParentIsWaitedFor() throws {
        try ManagerFixture.run({ $0.abilities.needsParent = true }) { fixture in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            fixture.target.script(.revoke, .failBefore(.denied))
            let report = try await fixture.mount.revoke(parent.id, RevokeOptions(wait: .seconds(200)))
            #expect(report.stuck == 1)
            #expect(fixture.target.check(parent.secret))
            try await fixture.manager.rearm(mountAt: "database")
            try await fixture.wait(.seconds(60))
            let ended = fixture.target.history.filter { $0.action == .ended }.compactMap { $0.mark?.lease }
            #expect(ended == [child.id, parent.id])
        }
    }

    @Test func noChildComesUnderAParentThatIsOver() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("short")
            fixture.manager.pauseExpiry()
            try await fixture.wait(.seconds(61))
            await expectRefusal(.parentNotActive, "use a parent that is live") {
                try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            }
            await expectRefusal(.parentNotActive, "issue a new parent first") {
                try await fixture.mount.issue("app", IssueOptions(parent: parent.id, outlivesParentTTL: true))
            }
        }
    }

    @Test func aParentThatGoesWhileItsChildIsMadeTakesTheChildAlong() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            fixture.target.script(.issue, .slowReply(.seconds(5)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await expectRefusal(.leaseNotActive, "came while the credential", "is being ended") {
                        try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
                    }
                }
                try await fixture.wait(.seconds(1))
                _ = try await fixture.mount.revoke(parent.id, RevokeOptions(wait: .seconds(1)))
                try await group.waitForAll()
            }
            try await fixture.wait(.seconds(120))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aParentThatIsShortenedWhileItsChildIsMadeIsNotOutlived() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            fixture.target.script(.issue, .slowReply(.seconds(5)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await expectRefusal(.parentNotActive) {
                        try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
                    }
                }
                try await fixture.wait(.seconds(1))
                _ = try await fixture.mount.renew(parent.id, RenewOptions(increment: .seconds(600), mayShorten: true))
                try await group.waitForAll()
            }
            try await fixture.wait(.seconds(10))
            #expect(fixture.target.liveCredentials.count == 1)
        }
    }

    @Test func aDetachedLeaseLivesOn() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            try await fixture.manager.detach(child.id)
            #expect(fixture.log.count(.detached) == 1)
            #expect(try await fixture.mount.revoke(parent.id).covered == 1)
            #expect(fixture.target.check(child.secret))
            let outcome = try await fixture.mount.renew(child.id, RenewOptions(increment: .seconds(9_000)))
            #expect(outcome.boundBy == .request)
        }
    }

    @Test func sessionsEndWhatHangsOnThem() throws {
        try ManagerFixture.run { fixture in
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            let session = try await sessions.issue("login", IssueOptions(ttl: .seconds(100)))
            let lease = try await fixture.mount.issue("app", IssueOptions(parent: session.id))
            #expect(lease.expiresAt == session.expiresAt)
            let longer = try await sessions.renew(session.id, RenewOptions(increment: .seconds(200)))
            #expect(longer.granted == .seconds(200))
            #expect(try await fixture.mount.renew(lease.id).expiresAt == longer.expiresAt)
            try await fixture.wait(.seconds(202))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func informationalLeasesRunOutWithoutACall() throws {
        let calls = Locked(0)
        var backend = OddBackend()
        backend.abilities.leaseKind = .informational
        backend.onRevoke = { _ in
            calls.withLock { $0 += 1 }
            return .revoked
        }
        let hints = backend
        try ManagerFixture.run { fixture in
            let mount = try await fixture.manager.mount(hints, at: "hints")
            let lease = try await mount.issue("flag")
            #expect(lease.secret == "secret")
            #expect(try await fixture.manager.lease(lease.id)?.kind == .informational)
            try await fixture.wait(.seconds(602))
            try await fixture.expectNoLeases()
            #expect(calls.withLock { $0 } == 0)
        }
    }

    @Test func theLastUseRevokesTheLease() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app", IssueOptions(uses: 2))
            #expect(try await fixture.manager.consumeUse(of: lease.id) == 1)
            #expect(fixture.target.check(lease.secret))
            #expect(
                try await fixture.manager.consumeUse(of: lease.id, cause: LeaseCause(.requested, actor: "job")) == 0
            )
            await expectRefusal(.leaseNotActive, "cannot be used", "issue a new one") {
                try await fixture.manager.consumeUse(of: lease.id)
            }
            try await fixture.wait(.seconds(1))
            #expect(!fixture.target.check(lease.secret))
            #expect(fixture.log.events(.revoked).first?.cause == LeaseCause(.usesSpent, actor: "job"))
            let free = try await fixture.mount.issue("app")
            #expect(try await fixture.manager.consumeUse(of: free.id) == nil)
        }
    }

    @Test func theEndOfTimeIsNoProblem() throws {
        let forever = TTLLimits(ttl: .seconds(Int64.max / 2), maximum: .seconds(Int64.max / 2))
        try ManagerFixture.run({
            $0.configuration.limits = forever
            $0.roles["app"]?.limits = TTLLimits()
        }) { fixture in
            let lease = try await fixture.mount.issue("app")
            #expect(lease.expiresAt == .distantFuture)
            try await fixture.wait(.seconds(86_400))
            #expect(try await fixture.mount.revoke(lease.id).revoked == 1)
        }
    }
}
