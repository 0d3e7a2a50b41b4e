// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// A target that has credentials which this copy of the store cannot have made.
@Suite struct WitnessTests {
    private static func mark(_ number: UInt64 = 9, epoch: UInt64 = 1) -> LeaseMark {
        LeaseMark(deployment: "tests", lease: LeaseID(high: 5, low: number), epoch: epoch)
    }

    /// Runs a manager that issues a lease of a minute, and after 200 seconds another one on the same store; in between, `meanwhile`.
    private static func run(
        meanwhile: @escaping @Sendable (ManagerWorld) async throws -> Void,
        _ body: @escaping @Sendable (ManagerFixture, LeaseID) async throws -> Void
    ) throws {
        try ManagerWorld.run { world in
            let lease = Locked<LeaseID?>(nil)
            try await world.run { fixture in
                let issued = try await fixture.mount.issue("short").id
                lease.withLock { $0 = issued }
            }
            try await world.time.sleep(for: .seconds(100))
            try await meanwhile(world)
            try await world.time.sleep(for: .seconds(100))
            try await world.run(seed: 2) { fixture in try await body(fixture, try #require(lease.withLock { $0 })) }
        }
    }

    @Test func whatWasMadeWhileNothingRanHereTellsOfAnotherCopyAlsoInAnEpochThatThisOneLived() throws {
        try Self.run(meanwhile: { $0.target.plant("newer", mark: Self.mark()) }) { fixture, _ in
            await expectRefusal(.heldOff, "another copy made") {
                try await fixture.manager.sweepOrphans(ofMountAt: "database", SweepOptions(grace: .zero))
            }
            #expect(fixture.target.principal("newer") != nil)
        }
    }

    @Test func nothingIsEndedBeforeTheWholeListWasRead() throws {
        try Self.run(meanwhile: { world in
            for number in 0..<150 { world.target.plant("old-\(number)", mark: Self.mark(UInt64(number), epoch: 1)) }
            world.target.plant("zz-newer", mark: Self.mark(999, epoch: 2))
        }) { fixture, _ in
            let before = fixture.target.principals.count
            await expectRefusal(.heldOff) {
                try await fixture.manager.sweepOrphans(ofMountAt: "database", SweepOptions(grace: .zero))
            }
            #expect(fixture.target.principals.count == before)
        }
    }

    @Test func beforeTheFirstLeaseIsEndedByTimeOnePageIsLookedAt() throws {
        try Self.run(meanwhile: { $0.target.plant("newer", mark: Self.mark()) }) { fixture, lease in
            try await fixture.wait(.seconds(300))
            #expect(fixture.manager.holdOffReasons.map(\.description).contains { $0.contains("another copy made") })
            #expect(try await fixture.manager.lease(lease) != nil)
            #expect(fixture.target.arrivals(of: .inventory) == 1)
            // Orders are obeyed, and new leases issued.
            let other = try await fixture.expectIssue()
            #expect(try await fixture.mount.revoke(other.id).revoked == 1)
            try await fixture.manager.resume()
            try await fixture.wait(.seconds(10))
            #expect(try await fixture.manager.lease(lease) == nil)
            #expect(fixture.target.arrivals(of: .inventory) == 1)
        }
    }

    @Test func whoResumesHasSettledWhatTheWitnessSaid() throws {
        try Self.run(meanwhile: { $0.target.plant("newer", mark: Self.mark()) }) { fixture, _ in
            await expectRefusal(.heldOff) { try await fixture.manager.sweepOrphans(ofMountAt: "database") }
            try await fixture.manager.resume()
            try await fixture.wait(.seconds(600))
            let report = try await fixture.manager.sweepOrphans(ofMountAt: "database")
            #expect((report.orphans, report.ended) == (1, 1))
            #expect(fixture.manager.holdOffReasons.isEmpty)
        }
    }

    @Test func withoutAWitnessEverythingGoesOn() throws {
        try Self.run(meanwhile: { _ in }) { fixture, lease in
            try await fixture.wait(.seconds(10))
            #expect(try await fixture.manager.lease(lease) == nil)
            #expect(fixture.target.arrivals(of: .inventory) == 1)
            #expect(fixture.manager.holdOffReasons.isEmpty)
            try await fixture.expectIssue()
            try await fixture.wait(.seconds(4_000))
            #expect(fixture.target.arrivals(of: .inventory) == 1)
        }
    }

    @Test func whatWasMadeInTheLastMomentsOfTheRunBeforeIsNoWitness() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in _ = try await fixture.mount.issue("short") }
            // Within the interval at which the time is written down.
            try await world.time.sleep(for: .seconds(5))
            world.target.plant("late", mark: Self.mark())
            try await world.time.sleep(for: .seconds(100))
            try await world.run(seed: 2) { fixture in
                try await fixture.wait(.seconds(10))
                #expect(fixture.manager.holdOffReasons.isEmpty)
            }
        }
    }

    @Test func aTargetThatRefusesToListKeepsNothingFromBeingEnded() throws {
        try Self.run(meanwhile: { $0.target.script(.inventory, .failBefore(.denied)) }) { fixture, lease in
            try await fixture.wait(.seconds(10))
            #expect(try await fixture.manager.lease(lease) == nil)
            #expect(fixture.target.arrivals(of: .inventory) == 1)
        }
    }

    @Test func aTargetThatIsDownIsAskedAgain() throws {
        try Self.run(meanwhile: { world in
            world.target.plant("newer", mark: Self.mark())
            world.target.script(.inventory, .failBefore(.transient, scope: .target))
        }) { fixture, lease in
            try await fixture.wait(.seconds(10))
            #expect(fixture.manager.holdOffReasons.count == 1)
            #expect(try await fixture.manager.lease(lease) != nil)
            #expect(fixture.target.arrivals(of: .inventory) == 2)
        }
    }
}
