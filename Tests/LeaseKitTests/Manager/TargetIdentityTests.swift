// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct TargetIdentityTests {
    @Test func theFirstTargetThatAnswersIsTheMounts() throws {
        try ManagerFixture.run { fixture in
            #expect(try fixture.manager.health(ofMountAt: "database").fingerprint == nil)
            _ = try await fixture.mount.issue("app")
            #expect(try fixture.manager.health(ofMountAt: "database").fingerprint == "target-1")
            let registered = try await fixture.manager.registeredMounts()
            #expect(registered.map(\.registration.fingerprint) == ["target-1"])
            #expect(registered.map(\.isServed) == [true])
        }
    }

    @Test func atAnotherTargetNothingIsIssuedAndNothingCountsAsGone() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            fixture.target.replace(by: "target-2")
            await expectRefusal(.targetMismatch, "another target (target-2)") { try await fixture.mount.issue("app") }
            await expectRefusal(.targetMismatch, "adoptTarget(at:)") { try await fixture.mount.issue("app") }
            try await fixture.wait(.seconds(300))
            #expect(try await fixture.manager.lease(lease.id) != nil)
            #expect(fixture.target.history.filter { $0.action == .nothingThere }.isEmpty)
            #expect(fixture.log.count(.targetMismatch) == 1)
            #expect(try fixture.manager.health(ofMountAt: "database").mismatch == "target-2")
            #expect(fixture.log.events(.targetMismatch).first?.note?.contains("target-1") == true)
            fixture.target.replace(by: "target-1")
        }
    }

    @Test func whenTheAddressIsPutRightEverythingGoesOnByItself() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            fixture.target.replace(by: "target-2")
            try await fixture.wait(.seconds(120))
            fixture.target.replace(by: "target-1")
            try await fixture.wait(.seconds(5))
            #expect(fixture.target.principal(lease.secret.username) == nil)
            try await fixture.expectNoLeases()
            try await fixture.expectIssue()
            #expect(try fixture.manager.health(ofMountAt: "database").mismatch == nil)
        }
    }

    @Test func anAdoptedTargetTakesOverAndOldLeasesCountAsGone() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.replace(by: "target-2")
            await expectRefusal(.targetMismatch) { try await fixture.mount.issue("app") }
            let adopted = try await fixture.manager.adoptTarget(
                at: "database",
                cause: LeaseCause(.requested, actor: "ops")
            )
            #expect(adopted == "target-2")
            #expect(fixture.log.events(.targetAdopted).first?.cause?.actor == "ops")
            try await fixture.expectIssue()
            #expect(try await fixture.mount.revoke(lease.id).alreadyGone == 1)
        }
    }

    @Test func aRestartRemembersTheTarget() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in _ = try await fixture.mount.issue("app") }
            world.target.replace(by: "target-2")
            try await world.run(seed: 2) { fixture in
                await expectRefusal(.targetMismatch) { try await fixture.mount.issue("app") }
                #expect(world.target.arrivals(of: .issue) == 1)
            }
            world.target.replace(by: "target-1")
        }
    }

    @Test func aTargetThatIsReplacedBetweenTwoCallsIsNoticedByTheBackend() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.replace(by: "target-2")
            let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(2)))
            #expect((report.stillTried, report.alreadyGone) == (1, 0))
            #expect(try await fixture.manager.lease(lease.id)?.attempts == 0)
            fixture.target.replace(by: "target-1")
            #expect(try await fixture.manager.waitForReport(of: report.order).revoked == 1)
        }
    }

    @Test func whatOneManagerAdoptedHoldsForAllOnAStoreThatTheyShare() throws {
        try Self.runTwo { world, first, second in
            world.target.replace(by: "target-2")
            try await first.manager.adoptTarget(at: "database")
            // The other one learns of it before it makes anything.
            await expectRefusal(.targetUnavailable, "another target was adopted") {
                try await second.mount.issue("app")
            }
            try await second.wait(.seconds(20))
            try await second.expectIssue()
            #expect(try second.manager.health(ofMountAt: "database").fingerprint == "target-2")
        }
    }

    @Test func nothingCountsAsGoneAtATargetThatAnotherManagerHasGivenUp() throws {
        try Self.runTwo { world, first, second in
            world.target.replace(by: "target-2")
            try await first.manager.adoptTarget(at: "database")
            let lease = try await first.expectIssue()
            // Back again, before the second manager ever heard of it: to that one everything is as it was.
            world.target.replace(by: "target-1")
            let report = try await second.manager.revoke(.lease(lease.id), RevokeOptions(wait: .seconds(1)))
            #expect(report.alreadyGone == 0)
            #expect(try await second.manager.lease(lease.id) != nil)
            world.target.replace(by: "target-2")
            #expect(try await second.manager.waitForReport(of: report.order, atMost: .seconds(60)).revoked == 1)
        }
    }

    @Test func nothingIsMadeAtATargetThatAnotherManagerHasGivenUp() throws {
        try Self.runTwo { world, first, second in
            world.target.replace(by: "target-2")
            try await first.manager.adoptTarget(at: "database")
            world.target.replace(by: "target-1")
            let made = world.target.arrivals(of: .issue)
            await expectRefusal(.targetUnavailable, "another target was adopted") {
                try await second.mount.issue("app")
            }
            #expect(world.target.arrivals(of: .issue) == made)
            world.target.replace(by: "target-2")
            try await second.wait(.seconds(20))
            try await second.expectIssue()
        }
    }

    @Test func adoptingWhatAnotherManagerAdoptedBeforeIsNoError() throws {
        try Self.runTwo { world, first, second in
            world.target.replace(by: "target-2")
            try await first.manager.adoptTarget(at: "database")
            #expect(try await second.manager.adoptTarget(at: "database") == "target-2")
            try await second.expectIssue()
        }
    }

    @Test func whoStopsWaitingForAnAdoptionSaysNothingOfTheTarget() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.fingerprint, .delay(.seconds(5)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        _ = try await fixture.manager.adoptTarget(at: "database")
                    }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            #expect(fixture.log.count(.targetDown) == 0)
        }
    }

    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func aBackendThatThrowsACancellationWasNotCancelled(style: BackendAbilities.CallStyle) throws {
        try ManagerFixture.run { fixture in
            var backend = OddBackend()
            backend.abilities.callStyle = style
            backend.onFingerprint = { throw CancellationError() }
            let mount = try await fixture.manager.mount(backend, at: "odd")
            await expectRefusal(.targetUnavailable, "CancellationError") { try await mount.issue("app") }
            #expect(fixture.log.count(.targetDown) == 1)
        }
    }

    /// Runs `body` with two managers on one store, both of which have used the target.
    private static func runTwo(
        _ body: @escaping @Sendable (ManagerWorld, ManagerFixture, ManagerFixture) async throws -> Void
    ) throws {
        try ManagerWorld.run { world in
            let store = InMemoryLeaseStore(deployment: "tests", isExclusive: false, simulatedDurability: true)
            try await world.run(store: store) { first in
                try await first.expectIssue()
                try await world.run(store: store, seed: 2) { second in
                    try await second.expectIssue()
                    try await body(world, first, second)
                }
            }
        }
    }
}
