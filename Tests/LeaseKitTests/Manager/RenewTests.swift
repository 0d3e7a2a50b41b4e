// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct RenewTests {
    struct Row: CustomTestStringConvertible {
        let testDescription: String
        var options = IssueOptions()
        /// Renewed this long after the issue.
        var after = 600
        var increment: Int?
        var mayShorten = false
        /// The end expected, in seconds from the issue.
        let end: Int
        let bound: TTLBound
        var isTruncated = false
    }

    // A row keeps to two lines, so that the table reads as one.
    // swift-format-ignore
    static let rows = [
        Row(testDescription: "the role's default", end: 4_200, bound: .role),
        Row(testDescription: "as asked", increment: 7_200, end: 7_800, bound: .request),
        Row(testDescription: "less than is left does not shorten", increment: 60, end: 3_600, bound: .request),
        Row(testDescription: "unless that is asked for", increment: 60, mayShorten: true, end: 660, bound: .request),
        Row(testDescription: "the role's maximum cuts", increment: 90_000, end: 86_400, bound: .role,
            isTruncated: true),
        Row(testDescription: "the issuer's maximum cuts", options: IssueOptions(explicitMaximum: .seconds(5_000)),
            increment: 50_000, end: 5_000, bound: .explicitMaximum, isTruncated: true),
        Row(testDescription: "a period runs from now", options: IssueOptions(period: .seconds(1_800)),
            end: 2_400, bound: .period),
        Row(testDescription: "a period with a maximum", options: IssueOptions(explicitMaximum: .seconds(2_000),
            period: .seconds(1_800)), end: 2_000, bound: .explicitMaximum),
        Row(testDescription: "at once", after: 0, increment: 9_000, end: 9_000, bound: .request),
    ]

    @Test(arguments: rows)
    func theEndMovesAsFarAsTheLimitsAllow(_ row: Row) throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app", row.options)
            try await fixture.wait(.seconds(row.after))
            let options = RenewOptions(increment: row.increment.map { .seconds($0) }, mayShorten: row.mayShorten)
            let outcome = try await fixture.mount.renew(lease.id, options)
            let end = lease.issuedAt + .seconds(row.end)
            #expect(outcome.expiresAt == end)
            #expect(outcome.granted == .seconds(row.end - row.after))
            #expect(outcome.validUntil == .seconds(row.end))
            #expect(outcome.boundBy == row.bound)
            #expect(outcome.isTruncated == row.isTruncated)
            let record = try #require(try await fixture.manager.lease(lease.id))
            #expect(record.expiresAt == end)
            #expect(!record.needsConfirmation)
            // The target keeps it at least as long as was promised, and ends it by itself soon after.
            let principal = try #require(fixture.target.principals.first)
            #expect(principal.endsAt == end + .seconds(30))
        }
    }

    @Test func atTheMaximumARenewalSaysSoAndOnlyMakesSureOfTheTarget() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(86_400)))
            try await fixture.wait(.seconds(600))
            let outcome = try await fixture.mount.renew(lease.id)
            #expect(outcome.isAtMaximum)
            #expect(outcome.expiresAt == lease.expiresAt)
            #expect(fixture.target.arrivals(of: .renew) == 1)
            #expect(fixture.target.principals.first?.endsAt == lease.expiresAt + .seconds(30))
        }
    }

    @Test func pastTheMaximumTheSentenceNamesLimitOwnerAgeAndFix() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(86_400)))
            fixture.backend.setRole("app", InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(7_200))))
            try await fixture.wait(.seconds(7_380))
            let error = await expectRefusal(.pastMaximum) { try await fixture.mount.renew(lease.id) }
            #expect(
                error?.message
                    == "lease \(lease.name) cannot be renewed: it reached its maximum of 2h (role \"app\") 3m "
                    + "ago; issue a new one"
            )
            #expect(error?.isRetryable == false)
            #expect(fixture.target.check(lease.secret))
        }
    }

    @Test func theSentenceNamesWhoeverBinds() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue(
                "app",
                IssueOptions(ttl: .seconds(3_600), explicitMaximum: .seconds(3_600))
            )
            let other = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(86_400)))
            try await fixture.wait(.seconds(3_000))
            fixture.backend.setRole("app", InMemoryRole())
            try fixture.mount.change(MountSettings(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(1_800))))
            await expectRefusal(.pastMaximum, "of 30m (mount \"database\") 20m ago") {
                try await fixture.mount.renew(other.id)
            }
            try fixture.mount.change(MountSettings(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(9_000))))
            let bound = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(9_000)))
            #expect(bound.boundBy == .explicitMaximum)
        }
    }

    @Test func anExpiredLeaseIsToldWhen() throws {
        try ManagerFixture.run { fixture in
            fixture.manager.pauseExpiry()
            let lease = try await fixture.mount.issue("short")
            try await fixture.wait(.seconds(180))
            await expectRefusal(.leaseExpired, "\(lease.name)", "it expired 2m ago; issue a new one") {
                try await fixture.mount.renew(lease.id)
            }
        }
    }

    @Test func aBackendThatCannotExtendSaysUntilWhenThereIsTime() throws {
        try ManagerFixture.run({ $0.abilities.isRenewable = false }) { fixture in
            let lease = try await fixture.mount.issue("app")
            #expect(!lease.isRenewable)
            await expectRefusal(.notRenewable, "cannot extend a credential; issue a new one before \(lease.expiresAt)")
            {
                try await fixture.mount.renew(lease.id)
            }
        }
    }

    @Test func loweredLimitsBindAtTheNextRenewalAndCutNothing() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.backend.setRole("app", InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(1_800))))
            try await fixture.wait(.seconds(600))
            #expect(try await fixture.manager.lease(lease.id)?.expiresAt == lease.expiresAt)
            let outcome = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(9_000)))
            #expect(outcome.expiresAt == lease.expiresAt)
            #expect(outcome.boundBy == .role)
        }
    }

    @Test func raisedLimitsCountFromTheNextRenewalOn() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            fixture.backend.setRole(
                "short",
                InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(9_000)))
            )
            let outcome = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(8_000)))
            #expect(outcome.expiresAt == lease.issuedAt + .seconds(8_000))
        }
    }

    @Test func aRoleThatIsGoneLetsTheLeaseRunOut() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.backend.setRole("app", nil)
            await expectRefusal(.unknownRole) { try await fixture.mount.renew(lease.id) }
            #expect(fixture.target.check(lease.secret))
            try await fixture.wait(.seconds(3_601))
            #expect(!fixture.target.check(lease.secret))
            try await fixture.expectNoLeases()
        }
    }

    @Test func aParentBindsAndIsSaidTo() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(600), parent: parent.id))
            let outcome = try await fixture.mount.renew(child.id, RenewOptions(increment: .seconds(9_000)))
            #expect(outcome.expiresAt == parent.expiresAt)
            #expect(outcome.boundBy == .parent)
            #expect(outcome.isTruncated)
            let unbound = try await fixture.mount.issue("app", IssueOptions(parent: parent.id, outlivesParentTTL: true))
            let free = try await fixture.mount.renew(unbound.id, RenewOptions(increment: .seconds(9_000)))
            #expect(free.granted == .seconds(9_000))
        }
    }

    @Test func aTargetThatGrantsLessIsBelieved() throws {
        try ManagerFixture.run({ $0.roles["app"]?.longestLife = .seconds(4_000) }) { fixture in
            let lease = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(1_000)))
            let outcome = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(7_200)))
            #expect(outcome.expiresAt == lease.issuedAt + .seconds(4_000))
            #expect(outcome.isTruncated)
            #expect(try await fixture.manager.lease(lease.id)?.expiresAt == outcome.expiresAt)
        }
    }

    @Test func aRefusingBackendIsQuoted() throws {
        var backend = OddBackend()
        backend.onRenew = { _ in .refused("the session is over") }
        let refusing = backend
        try ManagerFixture.run { fixture in
            let mount = try await fixture.manager.mount(refusing, at: "odd")
            let lease = try await mount.issue("app")
            try await fixture.wait(.seconds(1))
            await expectRefusal(.notRenewable, "cannot be renewed: the session is over") {
                try await mount.renew(lease.id)
            }
            #expect(try await fixture.manager.lease(lease.id)?.state == .active)
        }
    }
}
