// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Leaves first is an order, not a condition.
@Suite struct LeavesFirstTests {
    /// A session with a child, whose order is placed; answers how long the session waited for the child.
    private static func wait(
        for trouble: @escaping @Sendable (ManagerFixture) async throws -> Void,
        _ change: (inout ManagerSetup) -> Void = { _ in },
        after: @escaping @Sendable (ManagerFixture, LeaseID) async throws -> Void = { _, _ in }
    ) throws -> Duration? {
        let waited = Locked<Duration?>(nil)
        try ManagerFixture.run(change) { fixture in
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            let session = try await sessions.issue("job")
            let options = IssueOptions(parent: session.id)
            let child = try? await fixture.mount.issue("app", options).id
            try await trouble(fixture)
            let start = fixture.now
            _ = try await fixture.manager.revoke(.tree(session.id), RevokeOptions(wait: .zero))
            try await fixture.wait(.seconds(100))
            let ended = fixture.log.events(.revoked).first { $0.lease == session.id }
            waited.withLock { $0 = ended.map { start.duration(to: $0.at) } }
            if let child { try await after(fixture, child) }
        }
        return waited.withLock { $0 }
    }

    private static let soon = Duration.zero...Duration.seconds(6)
    private static let patience = Duration.seconds(30)...Duration.seconds(31)

    @Test func aChildThatIsStuckHoldsNothingBack() throws {
        let waited = try Self.wait(
            for: { $0.target.script(.revoke, .failBefore(.denied)) },
            after: { fixture, child in
                let record = try await fixture.manager.lease(child)
                #expect(record?.state == .stuck)
            }
        )
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildThatIsQuarantinedHoldsNothingBack() throws {
        let waited = try Self.wait(for: { fixture in
            let children = try await fixture.manager.page(LeaseQuery(mount: fixture.mount.id)).records
            let context = StoreContext(
                now: fixture.now,
                operation: 1,
                incarnation: Incarnation(rawValue: 1),
                cause: LeaseCause(.requested)
            )
            let failure = LeaseFailure(code: "unreadable", message: "made up")
            let changes = children.map { LeaseChange.update($0.id, .quarantine(nil, failure)) }
            _ = try await fixture.store.apply(changes, context)
        })
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildThatIsSettlingHoldsNothingBack() throws {
        // Made, and the answer lost: nobody has it, and it is looked at until nothing can be in flight any more.
        let waited = try Self.wait(for: { fixture in
            fixture.target.script(.issue, .failAfter)
            let parent = try #require(try await fixture.manager.page(LeaseQuery(prefix: "sessions")).records.first)
            _ = try? await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            #expect(try await fixture.manager.counts()[.settling] == 1)
        })
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test(arguments: [TargetPartition.refusing, .silent])
    func aChildBehindAnOpenBreakerHoldsNothingBack(_ partition: TargetPartition) throws {
        let waited = try Self.wait(for: { fixture in
            fixture.target.partition(partition)
            // Something else finds out that the target is down.
            _ = try? await fixture.mount.issue("app")
        })
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildAtAnotherTargetThanItsMountsHoldsNothingBack() throws {
        let waited = try Self.wait(for: { fixture in
            fixture.target.partition(.refusing)
            _ = try? await fixture.mount.issue("app")
            fixture.target.replace(by: "another")
            fixture.target.heal()
            try await fixture.wait(.seconds(10))
        })
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildWhoseMountIsNotServedHoldsNothingBack() throws {
        let waited = try Self.wait(for: { try await $0.manager.unmount(at: "database", leases: .leave) })
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildThatEndsByItselfHoldsNothingBack() throws {
        let waited = try Self.wait(
            for: { _ in },
            { $0.abilities.isRevocable = false },
            after: { fixture, child in
                let record = try await fixture.manager.lease(child)
                #expect(record?.state == .ending)
            }
        )
        #expect(waited.map(Self.soon.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildOnItsWayIsWaitedForNotLonger() throws {
        let waited = try Self.wait(for: { $0.target.script(.revoke, .delay(.seconds(12))) })
        #expect(waited.map((.seconds(12)...Duration.seconds(13)).contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildThatIsTriedAgainAndAgainIsWaitedForAsLongAsThePatience() throws {
        let waited = try Self.wait(for: { fixture in
            for _ in 0..<40 { fixture.target.script(.revoke, .failBefore(.transient)) }
        })
        #expect(waited.map(Self.patience.contains) == true, "\(String(describing: waited))")
    }

    @Test func aChildThatNeedsItsParentHoldsItBackForEver() throws {
        let waited = try Self.wait(
            for: { $0.target.script(.revoke, .failBefore(.denied)) },
            { $0.abilities.needsParent = true },
            after: { fixture, child in
                let record = try await fixture.manager.lease(child)
                #expect(record?.state == .stuck)
                try await fixture.manager.rearm(mountAt: "database")
                try await fixture.wait(.seconds(1))
                try await fixture.expectNoLeases()
            }
        )
        #expect(waited == nil)
    }

    @Test func aGrandchildThatIsStuckHoldsNobodyBack() throws {
        try ManagerFixture.run { fixture in
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            var parent = try await sessions.issue("job").id
            let root = parent
            for _ in 0..<6 { parent = try await sessions.issue("job", IssueOptions(parent: parent)).id }
            _ = try await fixture.mount.issue("app", IssueOptions(parent: parent))
            fixture.target.script(.revoke, .failBefore(.denied))
            let start = fixture.now
            let report = try await fixture.manager.revoke(.tree(root))
            #expect((report.revoked, report.stuck) == (7, 1))
            #expect(start.duration(to: fixture.now) <= .seconds(6))
        }
    }

    @Test func aParentWhoseTimeIsOverGoesByTheSameRules() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("short")
            let child = try await fixture.mount.issue("short", IssueOptions(parent: parent.id))
            fixture.target.script(.revoke, .failBefore(.denied))
            let start = fixture.now
            try await fixture.waitFor(.revoked)
            #expect(fixture.log.events(.revoked).map(\.lease) == [parent.id])
            #expect(start.duration(to: fixture.now) <= .seconds(70))
            #expect(try await fixture.manager.lease(child.id)?.state == .stuck)
        }
    }
}
