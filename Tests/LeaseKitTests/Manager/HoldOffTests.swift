// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct HoldOffTests {
    @Test func whilePausedNothingEndsByTimeAndEverythingElseGoesOn() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            let other = try await fixture.mount.issue("app")
            fixture.manager.pauseExpiry()
            #expect(fixture.manager.holdOffReasons == [.requested])
            try await fixture.wait(.seconds(600))
            #expect(fixture.target.principal(lease.secret.username) != nil)
            #expect(try await fixture.manager.lease(lease.id)?.state == .active)
            try await fixture.expectIssue()
            #expect(try await fixture.mount.renew(other.id).granted == .seconds(3_600))
            #expect(try await fixture.mount.revoke(other.id).revoked == 1)
            #expect(try await fixture.mount.revoke(lease.id).isComplete)
            #expect(fixture.log.count(.heldOff) == 1)
        }
    }

    @Test func resumingEndsWhatIsOver() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            fixture.manager.pauseExpiry()
            fixture.manager.pauseExpiry()
            try await fixture.wait(.seconds(600))
            try await fixture.manager.resume(cause: LeaseCause(.requested, actor: "ops"))
            #expect(fixture.manager.holdOffReasons.isEmpty)
            try await fixture.wait(.seconds(1))
            #expect(fixture.target.principal(lease.secret.username) == nil)
            #expect(fixture.log.events(.resumed).map(\.cause?.actor) == ["ops"])
            try await fixture.manager.resume()
            #expect(fixture.log.count(.resumed) == 1)
        }
    }

    @Test func whatAnIssuerGivesUpIsEndedAlsoWhilePaused() throws {
        try ManagerFixture.run { fixture in
            fixture.manager.pauseExpiry()
            fixture.target.script(.issue, .failAfter)
            await expectRefusal(.backendFailed) { try await fixture.mount.issue("app") }
            try await fixture.wait(.seconds(70))
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aRestoredBackupEndsNothingByTimeUntilItIsResumed() throws {
        try ManagerWorld.run({ $0.abilities.endsByItself = false }) { world in
            let backup = Locked<InMemoryLeaseStore?>(nil)
            let first = Locked<LeaseID?>(nil)
            try await world.run { fixture in
                let lease = try await fixture.mount.issue("app")
                first.withLock { $0 = lease.id }
                backup.withLock { $0 = world.store.backup() }
                // Renewed after the backup was made: the copy knows nothing of it.
                _ = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(80_000)))
            }
            try await world.time.sleep(for: .seconds(7_200))
            let copy = try #require(backup.withLock { $0 })
            try await world.run(store: copy, seed: 2) { fixture in
                #expect(fixture.manager.holdOffReasons == [.doubt(.restoredBackup)])
                try await fixture.wait(.seconds(600))
                let lease = try #require(first.withLock { $0 })
                #expect(fixture.isLive(lease))
                await expectRefusal(.heldOff, "restored backup", "resume it first") {
                    try await fixture.manager.sweepOrphans(ofMountAt: "database")
                }
                try await fixture.expectIssue()
                try await fixture.manager.resume()
                try await fixture.wait(.seconds(1))
                #expect(!fixture.isLive(lease))
                let later = try await fixture.mount.issue("app")
                let mark = world.target.liveCredentials.first { $0.mark?.lease == later.id }?.mark
                let epoch = try #require(mark?.epoch)
                #expect(epoch != 1, "what is made from here on belongs to a new epoch")
            }
        }
    }

    @Test(arguments: [-7_200, 7_200])
    func aWallClockThatJumpsWhileRunningHoldsOff(seconds: Int) throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            let (start, elapsed) = (lease.issuedAt, fixture.time.read().continuous)
            fixture.time.jumpWall(by: .seconds(seconds))
            try await fixture.wait(.seconds(20))
            let held = fixture.manager.holdOffReasons
            #expect(held == [.clock(.wallJumped(by: .seconds(seconds)))])
            try await fixture.wait(.seconds(100))
            #expect(fixture.log.count(.expired) == 0)
            // Leases run on elapsed time all the same.
            let other = try await fixture.mount.issue("short")
            #expect(other.issuedAt == start + (fixture.time.read().continuous - elapsed))
            try await fixture.manager.resume(.elapsed)
            try await fixture.wait(.seconds(1))
            #expect(fixture.log.count(.expired) == 1)
            try await fixture.wait(.seconds(60))
            #expect(fixture.manager.holdOffReasons.isEmpty)
        }
    }

    @Test func anOperatorMaySettleForTheWallClockAndTimeMayGoBack() throws {
        try ManagerFixture.run { fixture in
            fixture.time.jumpWall(by: .seconds(-7_200))
            try await fixture.wait(.seconds(20))
            try await fixture.manager.resume(.wall)
            let lease = try await fixture.mount.issue("app")
            #expect(lease.issuedAt == fixture.time.wall)
            let instant = LeaseInstant(secondsSinceEpoch: 1_000_000)
            try await fixture.manager.resume(.at(instant))
            #expect(try await fixture.mount.issue("app").issuedAt == instant)
        }
    }

    @Test func aSmallStepIsNoNews() throws {
        try ManagerFixture.run { fixture in
            fixture.time.jumpWall(by: .seconds(45))
            try await fixture.wait(.seconds(60))
            #expect(fixture.manager.holdOffReasons.isEmpty)
        }
    }

    @Test func aSuspendIsToldAndCountsAsTime() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            await fixture.time.suspend(for: .seconds(7_200))
            try await fixture.wait(.seconds(30))
            #expect(fixture.log.events(.suspended).map(\.note) == ["the machine slept for 2h"])
            #expect(fixture.manager.holdOffReasons.isEmpty)
            #expect(fixture.target.principal(lease.secret.username) == nil)
        }
    }

    struct BootRow: CustomTestStringConvertible {
        let testDescription: String
        let downFor: Int
        let jump: Int
        let isHeldOff: Bool
    }

    static let boots = [
        BootRow(testDescription: "an hour later", downFor: 3_600, jump: 0, isHeldOff: false),
        BootRow(testDescription: "six days later", downFor: 6 * 86_400, jump: 0, isHeldOff: false),
        BootRow(testDescription: "eight days later", downFor: 8 * 86_400, jump: 0, isHeldOff: true),
        BootRow(testDescription: "in the past", downFor: 600, jump: -3_600, isHeldOff: true),
    ]

    @Test(arguments: boots)
    func afterABootTheWallClockIsAskedAndDoubted(_ row: BootRow) throws {
        try ManagerWorld.run({ $0.abilities.endsByItself = false }) { world in
            try await world.run { fixture in _ = try await fixture.mount.issue("app") }
            await world.time.reboot(downFor: .seconds(row.downFor))
            world.time.jumpWall(by: .seconds(row.jump))
            try await world.run(seed: 2) { fixture in
                #expect(fixture.manager.holdOffReasons.isEmpty == !row.isHeldOff)
                try await fixture.wait(.seconds(60))
                #expect(world.target.principals.isEmpty == !row.isHeldOff)
                #expect(fixture.log.count(.heldOff) == (row.isHeldOff ? 1 : 0))
                try await fixture.manager.resume(.wall)
                try await fixture.wait(.seconds(7_200))
                #expect(world.target.principals.isEmpty)
            }
        }
    }

    @Test func inTheSameBootTheWallClockIsNotAsked() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in _ = try await fixture.mount.issue("app") }
            world.time.jumpWall(by: .seconds(-86_400 * 30))
            try await world.run(seed: 2) { fixture in
                #expect(fixture.manager.holdOffReasons.isEmpty)
                #expect(fixture.world.target.principals.count == 1)
                try await fixture.wait(.seconds(3_700))
                #expect(fixture.world.target.principals.isEmpty)
            }
        }
    }
}
