// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct OutageTests {
    struct Row: CustomTestStringConvertible {
        let partition: TargetPartition
        let length: Duration
        var testDescription: String { "\(partition) for \(length)" }
    }

    static let outages = [
        Row(partition: .refusing, length: .seconds(20 * 60)),
        Row(partition: .silent, length: .seconds(20 * 60)),
        Row(partition: .refusing, length: .seconds(2 * 86_400)),
    ]

    @Test(arguments: outages)
    func afterAnOutageEverythingIsGoneWithinSecondsAndNothingWasCharged(_ row: Row) throws {
        try ManagerFixture.run({
            $0.abilities.endsByItself = false
            $0.settings.probeInterval = .seconds(10)
            $0.configuration.observationInterval = .seconds(60)
        }) { fixture in
            for _ in 0..<40 { _ = try await fixture.mount.issue("short") }
            try await fixture.wait(.seconds(30))
            fixture.target.partition(row.partition)
            try await fixture.wait(row.length)
            let charged = try await fixture.manager.page().records.filter { $0.attempts > 0 }
            #expect(charged.isEmpty)
            #expect(try fixture.manager.health(ofMountAt: "database").isTargetUp == false)
            #expect(fixture.log.count(.targetDown) == 1)
            fixture.target.heal()
            // A probe that is still out when the target comes back has its timeout before the next one goes.
            try await fixture.wait(.seconds(row.partition == .silent ? 25 : 12))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
            #expect(fixture.log.count(.targetUp) == 1)
            #expect(fixture.log.count(.revocationFailed) == 0)
        }
    }

    @Test func aTargetThatIsDownIsAskedAtTheProbesPace() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.partition(.refusing)
            try await fixture.manager.revoke(.lease(lease.id), RevokeOptions(wait: .zero))
            let before = fixture.target.arrivals(of: .fingerprint) + fixture.target.arrivals(of: .revoke)
            try await fixture.wait(.seconds(300))
            let after = fixture.target.arrivals(of: .fingerprint) + fixture.target.arrivals(of: .revoke)
            #expect((90...102).contains(after - before))
            fixture.target.heal()
        }
    }

    @Test func whileTheTargetIsDownCallersFailFastAndOneFindsOut() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue("app")
            fixture.target.partition(.refusing)
            await expectRefusal(.targetUnavailable, "refuses connections") { try await fixture.mount.issue("app") }
            #expect(fixture.log.events(.targetDown).first?.failure?.code == "unreachable")
            let start = fixture.now
            let error = await expectRefusal(.targetUnavailable, "is down", "probed every few seconds") {
                try await fixture.mount.issue("app")
            }
            #expect(error?.retryAfter == .seconds(3))
            #expect(error?.isRetryable == true)
            #expect(fixture.now == start)
            fixture.target.heal()
            try await fixture.wait(.seconds(3))
            try await fixture.expectIssue()
            #expect(fixture.log.count(.targetUp) == 1)
            #expect(try fixture.manager.health(ofMountAt: "database").isTargetUp)
        }
    }

    @Test func aBrokenLoginIsTheTargetsFaultToo() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.setLoginBroken(true)
            let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(60)))
            #expect((report.stillTried, report.stuck) == (1, 0))
            #expect(try await fixture.manager.lease(lease.id)?.attempts == 0)
            fixture.target.setLoginBroken(false)
            #expect(try await fixture.manager.waitForReport(of: report.order, atMost: .seconds(5)).revoked == 1)
        }
    }

    @Test func aFailureOfTheLeaseIsChargedAndWaitedForLongerEachTime() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .failBefore(), .failBefore(), .failBefore(), .failBefore())
            let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(600)))
            #expect(report.revoked == 1)
            let failed = fixture.log.events(.revocationFailed)
            #expect(failed.map(\.attempts) == [1, 2, 3, 4])
            #expect(failed.allSatisfy { $0.failure?.code == "transient" && $0.state == .revoking })
            #expect(fixture.target.arrivals(of: .revoke) == 5)
        }
    }

    @Test func attemptsOutliveARestart() throws {
        try ManagerWorld.run { world in
            let id = Locked<LeaseID?>(nil)
            try await world.run { fixture in
                let lease = try await fixture.mount.issue("app")
                id.withLock { $0 = lease.id }
                world.target.script(.revoke, .failBefore(.denied))
                #expect(try await fixture.mount.revoke(lease.id).stuck == 1)
            }
            try await world.run(seed: 2) { fixture in
                let lease = try #require(id.withLock { $0 })
                let record = try #require(try await fixture.manager.lease(lease))
                #expect((record.state, record.attempts) == (.stuck, 1))
                try await fixture.wait(.seconds(4_000))
                #expect(!fixture.isLive(lease))
            }
        }
    }

    @Test func whatIsStuckIsListedCountedAndRearmedByCode() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .failBefore(.denied))
            let report = try await fixture.mount.revoke(lease.id)
            #expect((report.stuck, report.isComplete) == (1, false))
            #expect(fixture.log.count(.revocationStuck) == 1)
            #expect(try await fixture.manager.counts()[.stuck] == 1)
            let listed = try await fixture.manager.page(LeaseQuery(state: .stuck)).records
            #expect(listed.map(\.id) == [lease.id])
            #expect(listed.first?.failure?.code == "denied")
            #expect(try await fixture.manager.rearm(mountAt: "database", code: "other") == 0)
            #expect(try await fixture.manager.rearm(mountAt: "database", code: "denied") == 1)
            #expect(fixture.log.count(.rearmed) == 1)
            let final = try await fixture.manager.waitForReport(of: report.order)
            #expect((final.revoked, final.isComplete) == (1, true))
        }
    }

    @Test func whatIsNotOursIsLeftUntouched() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.plant(lease.secret.username)
            let report = try await fixture.mount.revoke(lease.id)
            #expect((report.notOurs, report.isComplete) == (1, true))
            #expect(fixture.log.count(.notOurs) == 1)
            #expect(fixture.target.principal(lease.secret.username) != nil)
            try await fixture.expectNoLeases()
        }
    }

    @Test func whatIsGoneAlreadyCountsAsThat() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.drop(lease.secret.username)
            let report = try await fixture.mount.revoke(lease.id)
            #expect((report.revoked, report.alreadyGone) == (0, 1))
            #expect(report.description == "order \(report.order): 1 already gone")
        }
    }

    @Test func whatEndsByItselfIsNotRetriedAndHoldsUpNobody() throws {
        try ManagerFixture.run({ $0.abilities.isRevocable = false }) { fixture in
            let lease = try await fixture.mount.issue("app")
            let report = try await fixture.mount.revoke(lease.id)
            #expect((report.ending, report.isComplete) == (1, true))
            #expect(report.remaining.first?.state == .ending)
            #expect(report.remaining.first?.due == lease.expiresAt)
            #expect(try await fixture.manager.counts()[.ending] == 1)
            await expectRefusal(.leaseNotActive) { try await fixture.mount.renew(lease.id) }
            try await fixture.wait(.seconds(3_602))
            try await fixture.expectNoLeases()
            #expect(fixture.target.arrivals(of: .revoke) == 0)
        }
    }

    @Test func abandoningDropsTheRecordAndSaysWhatMayBeLive() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .failBefore(.denied))
            let report = try await fixture.mount.revoke(lease.id)
            let dropped = try await fixture.manager.abandon(lease.id, cause: LeaseCause(.requested, actor: "ops"))
            #expect(dropped.id == lease.id)
            #expect(fixture.log.events(.abandoned).first?.note == "its credential may still be live")
            #expect(fixture.target.check(lease.secret))
            let final = try await fixture.manager.report(of: report.order)
            #expect((final.abandoned, final.stuck, final.isComplete) == (1, 0, true))
            try await fixture.wait(.seconds(1))
            #expect(fixture.log.count(.orderCompleted) == 1)
        }
    }

    @Test func aParentIsNotAbandonedAlone() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            _ = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            await expectRefusal(.hasChildren, "cannot be abandoned alone") {
                try await fixture.manager.abandon(parent.id)
            }
        }
    }

    @Test func aHandleThatCannotBeReadIsSetAsideAndTriedAgainWhenAsked() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in
                let mount = try await fixture.manager.mount(UnreadableBackend(isReadable: true), at: "odd")
                _ = try await mount.issue("app")
            }
            try await world.run(seed: 2) { fixture in
                let broken = UnreadableBackend(isReadable: false)
                _ = try await fixture.manager.mount(broken, at: "odd")
                let report = try await fixture.manager.revoke(.prefix("odd"))
                #expect((report.stuck, report.isComplete) == (1, false))
                #expect(try await fixture.manager.counts()[.quarantined] == 1)
                #expect(fixture.log.events(.quarantined).first?.failure?.code == "unreadableHandle")
                try await fixture.wait(.seconds(86_400))
                #expect(fixture.log.count(.quarantined) == 1)
                #expect(try await fixture.manager.rearm(mountAt: "odd") == 1)
                try await fixture.wait(.seconds(1))
                #expect(fixture.log.count(.quarantined) == 2)
                try await fixture.manager.unmount(at: "odd", leases: .leave)
                _ = try await fixture.manager.mount(UnreadableBackend(isReadable: true), at: "odd")
                #expect(try await fixture.manager.rearm(mountAt: "odd", code: "unreadableHandle") == 1)
                #expect(try await fixture.manager.waitForReport(of: report.order).isComplete)
            }
        }
    }
}

/// A backend that may have forgotten how to read its own handles.
private struct UnreadableBackend: SecretBackend {
    struct Handle: LeaseHandle {
        static let isReadable = Locked(true)
        init() {}
        init(handleBytes: [UInt8]) throws {
            if !Self.isReadable.withLock({ $0 }) { throw ForeignError() }
        }
        var handleBytes: [UInt8] { [1] }
    }

    let kind = "unreadable/1"
    let abilities = BackendAbilities(endsByItself: true)

    init(isReadable: Bool) { Handle.isReadable.withLock { $0 = isReadable } }

    func path(for request: String) throws -> String { request }
    func prepare(_ request: String, _ call: BackendCall) throws -> Handle { Handle() }
    func issue(_ request: String, as handle: inout Handle, _ call: BackendCall) async throws -> Issued<String> {
        Issued("secret")
    }
    func revoke(_ handle: Handle, _ call: BackendCall) async throws -> RevocationOutcome { .revoked }
}
