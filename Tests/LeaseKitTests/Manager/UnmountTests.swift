// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct UnmountTests {
    @Test func aMountWithLeasesStays() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            await expectRefusal(.mountInUse, "still has 1 leases", ".revoke(wait:)", ".leave") {
                try await fixture.manager.unmount(at: "database")
            }
            #expect(fixture.target.check(lease.secret))
            try await fixture.expectIssue()
        }
    }

    @Test func anEmptyMountGoes() throws {
        try ManagerFixture.run { fixture in
            try await fixture.manager.unmount(at: "database")
            #expect(try await fixture.manager.registeredMounts().isEmpty)
            await expectRefusal(.unknownMount, "was unmounted") { try await fixture.mount.issue("app") }
            let again = try await fixture.manager.mount(fixture.backend, at: "database")
            #expect(again.id != fixture.mount.id)
            #expect(fixture.target.check(try await again.issue("app").secret))
        }
    }

    @Test func revokingFirstEmptiesIt() throws {
        try ManagerFixture.run { fixture in
            for _ in 0..<20 { _ = try await fixture.mount.issue("app") }
            try await fixture.manager.unmount(at: "database", leases: .revoke(wait: .seconds(30)))
            #expect(fixture.target.principals.isEmpty)
            #expect(fixture.log.events(.revoked).allSatisfy { $0.cause?.reason == .unmounted })
            #expect(try await fixture.manager.registeredMounts().isEmpty)
        }
    }

    @Test func whatIsNotRevokedInTimeKeepsTheMountAndReopensIt() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .failBefore(.denied))
            await expectRefusal(.mountInUse, "still has 1 leases") {
                try await fixture.manager.unmount(at: "database", leases: .revoke(wait: .seconds(5)))
            }
            try await fixture.expectIssue()
        }
    }

    @Test func leavingThemLeavesThemToTheNextMountOfTheKind() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("short")
            try await fixture.manager.unmount(at: "database", leases: .leave)
            try await fixture.wait(.seconds(300))
            #expect(try await fixture.manager.lease(lease.id)?.state == .active)
            #expect(try await fixture.manager.registeredMounts().map(\.isServed) == [false])
            await expectRefusal(.unknownMount, "mount its backend again to renew it") {
                try await fixture.manager.renew(lease.id)
            }
            let again = try await fixture.manager.mount(fixture.backend, at: "database")
            #expect(again.id == fixture.mount.id)
            try await fixture.wait(.seconds(1))
            try await fixture.expectNoLeases()
            #expect(fixture.target.principals.isEmpty)
        }
    }

    @Test func aVolatileStoreIsNotTrustedWithLeasesThatNobodyServes() throws {
        try ManagerWorld.run({ $0.isDurable = false }) { world in
            try await world.run { fixture in
                let lease = try await fixture.mount.issue("app")
                let words = "still has 1 leases and 0 running calls"
                await expectRefusal(.volatileStoreRefused, words, ".revoke(wait:)") {
                    try await fixture.manager.unmount(at: "database", leases: .leave)
                }
                #expect(fixture.target.check(lease.secret))
                try await fixture.expectIssue()
                try await fixture.manager.revoke(.prefix("database"))
                try await fixture.manager.unmount(at: "database", leases: .leave)
                await expectRefusal(.unknownMount) { try await fixture.mount.issue("app") }
            }
            #expect(world.target.principals.isEmpty)
        }
    }

    @Test func withoutRunItSaysSoAndReopensTheMount() throws {
        try ManagerWorld.run({ $0.style = .immediate }) { world in
            let fixture = try await world.makeManager()
            try await fixture.expectIssue()
            let start = fixture.now
            await expectRefusal(.managerNotRunning, "run()", "task group or service group") {
                try await fixture.manager.unmount(at: "database", leases: .revoke(wait: .seconds(60)))
            }
            #expect(fixture.now == start + .seconds(5))
            try await fixture.expectIssue()
        }
    }

    @Test func aCancelledUnmountReopensTheMount() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .delay(.seconds(20)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await fixture.manager.unmount(at: "database", leases: .revoke(wait: .seconds(60)))
                    }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            try await fixture.expectIssue()
        }
    }

    @Test func anEmptyMountNeedsNoOrderToGo() throws {
        try ManagerWorld.run { world in
            let fixture = try await world.makeManager()
            try await fixture.manager.unmount(at: "database", leases: .revoke(wait: .seconds(60)))
            #expect(try await fixture.manager.registeredMounts().isEmpty)
            #expect(fixture.log.count(.orderPlaced) == 0)
        }
    }

    @Test func leasesOfAMountThatIsNotServedAreReportedAtTheStart() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in
                let mount = try await fixture.manager.mount(OddBackend(), at: "odd")
                for _ in 0..<3 { _ = try await mount.issue("app") }
            }
            try await world.run(seed: 2) { fixture in
                try await fixture.wait(.seconds(3_600))
                let events = fixture.log.events(.unserved).filter { $0.path == "odd" }
                #expect(events.map(\.note) == ["3 leases wait until a backend of kind odd/1 is mounted here"])
                #expect(try await fixture.manager.counts().total == 3)
                _ = try await fixture.manager.mount(OddBackend(), at: "odd")
                try await fixture.wait(.seconds(1))
                try await fixture.expectNoLeases()
            }
        }
    }

    @Test func aMountThatComesSoonAfterTheStartIsNotReportedAsUnserved() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in
                let mount = try await fixture.manager.mount(OddBackend(), at: "odd")
                _ = try await mount.issue("app")
            }
            try await world.run(seed: 2) { fixture in
                try await fixture.wait(.seconds(1))
                _ = try await fixture.manager.mount(OddBackend(), at: "odd")
                try await fixture.wait(.seconds(120))
                #expect(fixture.log.count(.unserved) == 0)
            }
        }
    }

    /// To every store two spellings of the same characters are two paths, and so they are to the manager.
    @Test func aMountWhosePathIsSpeltOtherwiseIsAnotherMount() throws {
        try ManagerFixture.run { fixture in
            let (manager, backend) = (fixture.manager, fixture.backend)
            let (one, other) = ("caf\u{E9}", "cafe\u{301}")
            let first = try await manager.mount(backend, at: one)
            let second = try await manager.mount(backend, at: other)
            #expect(first.id != second.id)
            try await manager.unmount(at: other)
            #expect(fixture.target.check(try await first.issue("app").secret))
            await expectRefusal(.unknownMount, "was unmounted") { try await second.issue("app") }
            await expectRefusal(.unknownMount, "nothing is mounted") { try await manager.unmount(at: other) }
            await expectRefusal(.duplicateMount, "mounted already") { try await manager.mount(backend, at: one) }
        }
    }
}
