// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct SweepTests {
    private static func mark(_ deployment: String = "tests", epoch: UInt64 = 1, _ number: UInt64 = 9) -> LeaseMark {
        LeaseMark(deployment: deployment, lease: LeaseID(high: 5, low: number), epoch: epoch)
    }

    @Test func anOrphanIsEndedAndALeaseIsNot() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.plant("orphan", mark: Self.mark())
            try await fixture.wait(.seconds(601))
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((report.examined, report.known, report.orphans, report.ended) == (2, 1, 1, 1))
            #expect(report.found == [Self.mark()])
            #expect(fixture.target.principal("orphan") == nil)
            #expect(fixture.target.check(lease.secret))
            #expect(fixture.log.events(.orphanFound).map(\.lease) == [Self.mark().lease])
            #expect(fixture.log.count(.orphanEnded) == 1)
        }
    }

    @Test func aDryRunLooksAndEndsNothing() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("orphan", mark: Self.mark())
            try await fixture.wait(.seconds(601))
            let options = SweepOptions(isDryRun: true)
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database", options)
            #expect((report.orphans, report.ended, report.failed) == (1, 0, 0))
            #expect(fixture.target.principal("orphan") != nil)
        }
    }

    @Test func whatIsYoungerThanTheGraceIsLeftAlone() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("orphan", mark: Self.mark())
            try await fixture.wait(.seconds(60))
            let early = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((early.tooYoung, early.orphans) == (1, 0))
            let options = SweepOptions(grace: .seconds(30))
            #expect(try await fixture.manager.sweepOrphans(ofMountAt: "database", options).ended == 1)
        }
    }

    @Test func anotherDeploymentIsNotTouched() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("theirs", mark: Self.mark("others"))
            fixture.target.plant("stranger")
            try await fixture.wait(.seconds(601))
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((report.examined, report.orphans, report.ended) == (0, 0, 0))
            #expect(fixture.target.principals.count == 2)
        }
    }

    @Test func whatWasMadeInAnEpochThatThisStoreNeverLivedIsLeftAlone() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("other-copy", mark: Self.mark(epoch: 7))
            try await fixture.wait(.seconds(601))
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((report.foreignEpoch, report.orphans) == (1, 0))
            #expect(fixture.target.principal("other-copy") != nil)
        }
    }

    @Test func credentialsNewerThanTheStoreOfAnotherLifeRaiseADoubt() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in _ = try await fixture.mount.issue("app") }
            try await world.time.sleep(for: .seconds(100))
            world.target.plant("newer", mark: Self.mark(epoch: 2))
            try await world.run(seed: 2) { fixture in
                await expectRefusal(.heldOff, "another copy made") {
                    try await fixture.manager.sweepOrphans(ofMountAt: "database")
                }
                #expect(fixture.manager.holdOffReasons.count == 1)
                #expect(world.target.principal("newer") != nil)
            }
        }
    }

    @Test func manyPagesAreReadToTheEnd() throws {
        try ManagerFixture.run { fixture in
            for number in 0..<250 { fixture.target.plant("orphan-\(number)", mark: Self.mark("tests", UInt64(number))) }
            try await fixture.wait(.seconds(601))
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((report.examined, report.ended) == (250, 250))
            #expect(report.found.count == 100)
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func anOrphanThatCannotBeEndedIsCountedAndFoundAgain() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("orphan", mark: Self.mark())
            try await fixture.wait(.seconds(601))
            fixture.target.script(.revoke, .failBefore(.denied))
            let first = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((first.orphans, first.ended, first.failed) == (1, 0, 1))
            #expect(try await fixture.manager.sweepOrphans(ofMountAt: "database").ended == 1)
        }
    }

    @Test func aVolatileStoreCannotTellOrphans() throws {
        try ManagerFixture.run({ $0.isDurable = false }) { fixture in
            await expectRefusal(.volatileStoreRefused, "use a durable one") {
                try await fixture.manager.sweepOrphans(ofMountAt: "database")
            }
        }
    }

    @Test func aBackendThatCannotListSaysSo() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.manager.mount(OddBackend(), at: "odd")
            await expectRefusal(.abilityMissing, "conform it to InventoryListing") {
                try await fixture.manager.sweepOrphans(ofMountAt: "odd")
            }
        }
    }

    @Test func aTargetThatFailsToListIsAnErrorAndEndsNothing() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("orphan", mark: Self.mark())
            try await fixture.wait(.seconds(601))
            fixture.target.script(.inventory, .failBefore(.denied))
            await expectRefusal(.backendDenied, "list its credentials") {
                try await fixture.manager.sweepOrphans(ofMountAt: "database")
            }
            #expect(fixture.target.principals.count == 1)
        }
    }

    @Test func whatIsGoneWhenItComesToItIsCounted() throws {
        try ManagerFixture.run { fixture in
            fixture.target.plant("orphan", mark: Self.mark())
            try await fixture.wait(.seconds(601))
            fixture.target.script(.revoke, .failBefore(.gone))
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((report.orphans, report.ended, report.alreadyGone, report.failed) == (1, 0, 1, 0))
            #expect(fixture.log.count(.orphanEnded) == 0)
        }
    }

    @Test func aSweepThatIsCancelledSaysNothingOfTheTarget() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.inventory, .delay(.seconds(5)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        _ = try await fixture.manager.sweepOrphans(ofMountAt: "database")
                    }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            #expect(fixture.log.count(.targetDown) == 0)
            #expect(fixture.time.read().continuous == .seconds(1))
        }
    }
}
