// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct LookupTests {
    @Test func pagesTogetherShowEveryLeaseOnce() throws {
        try ManagerFixture.run({ $0.style = .immediate }) { fixture in
            var issued: Set<LeaseID> = []
            for _ in 0..<57 { issued.insert(try await fixture.mount.issue("app").id) }
            for limit in [1, 10, 56, 57, 58, 1_000] {
                var seen: [LeaseID] = []
                var cursor: LeaseCursor?
                repeat {
                    let page = try await fixture.manager.page(after: cursor, limit: limit)
                    #expect(page.records.count <= limit)
                    seen += page.records.map(\.id)
                    cursor = page.next.map { LeaseCursor(text: $0.text) }
                } while cursor != nil
                #expect(seen.count == 57)
                #expect(Set(seen) == issued)
            }
        }
    }

    @Test func aCursorSurvivesWhatHappensMeanwhile() throws {
        try ManagerFixture.run({ $0.style = .immediate }) { fixture in
            var leases: [LeaseID] = []
            for _ in 0..<10 { leases.append(try await fixture.mount.issue("app").id) }
            let first = try await fixture.manager.page(limit: 5)
            for record in first.records { try await fixture.mount.revoke(record.id) }
            _ = try await fixture.mount.issue("app")
            let rest = try await fixture.manager.page(after: first.next, limit: 100)
            let expected = leases.filter { id in !first.records.contains { $0.id == id } }
            #expect(Set(rest.records.map(\.id)).isSuperset(of: expected))
        }
    }

    @Test func queriesAddUp() throws {
        try ManagerFixture.run { fixture in
            let manager = fixture.manager
            let parent = try await fixture.mount.issue("app", IssueOptions(owner: "a"))
            let child = try await fixture.mount.issue("short", IssueOptions(parent: parent.id, owner: "b"))
            let other = try await fixture.mount.issue("app", IssueOptions(owner: "b"))
            func ids(_ query: LeaseQuery) async throws -> Set<LeaseID> {
                Set(try await manager.page(query).records.map(\.id))
            }
            #expect(try await ids(.all) == [parent.id, child.id, other.id])
            #expect(try await ids(LeaseQuery(prefix: "database/creds/app")) == [parent.id, other.id])
            #expect(try await ids(LeaseQuery(prefix: "database/creds/ap")).isEmpty)
            #expect(try await ids(LeaseQuery(parent: parent.id)) == [child.id])
            #expect(try await ids(LeaseQuery(owner: "b")) == [child.id, other.id])
            #expect(try await ids(LeaseQuery(prefix: "database/creds/app", owner: "b")) == [other.id])
            #expect(try await ids(LeaseQuery(state: .active, mount: fixture.mount.id)).count == 3)
            #expect(try await ids(LeaseQuery(state: .stuck)).isEmpty)
        }
    }

    @Test func countsAreByStateAndScope() throws {
        try ManagerFixture.run { fixture in
            let manager = fixture.manager
            let parent = try await fixture.mount.issue("app", IssueOptions(owner: "a"))
            _ = try await fixture.mount.issue("short", IssueOptions(parent: parent.id, owner: "a"))
            let stuck = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .failBefore(.denied))
            _ = try await fixture.mount.revoke(stuck.id)
            let all = try await manager.counts()
            #expect((all.total, all[.active], all[.stuck]) == (3, 2, 1))
            #expect(try await manager.counts(.mount(fixture.mount.id)).total == 3)
            #expect(try await manager.counts(.path("database/creds/short")).total == 1)
            #expect(try await manager.counts(.owner("a")).total == 2)
            #expect(try await manager.counts(.children(parent.id)).total == 1)
            #expect(try await manager.counts(.path("nowhere")).total == 0)
        }
    }

    @Test func theRecordHasWhatTheIssuerSaid() throws {
        try ManagerFixture.run { fixture in
            let options = IssueOptions(
                explicitMaximum: .seconds(7_200),
                period: .seconds(600),
                uses: 3,
                owner: "billing",
                labels: ["team": "blue"],
                requestID: "r-9",
                sealedPayload: [1, 2, 3]
            )
            let lease = try await fixture.mount.issue("app", options)
            let record = try #require(try await fixture.manager.lease(lease.id))
            #expect(record.name == lease.name)
            #expect((record.explicitMaximum, record.period, record.usesLeft) == (.seconds(7_200), .seconds(600), 3))
            #expect((record.owner, record.requestID) == ("billing", "r-9"))
            #expect(record.labels == ["team": "blue"])
            #expect(record.sealedPayload == [1, 2, 3])
        }
    }

    @Test func theEventsOfEachLeaseAreAPathOfItsStates() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(500)))
            for number in 0..<10 {
                let options = IssueOptions(ttl: .seconds(30 + number * 20), parent: parent.id)
                let lease = try await fixture.mount.issue("app", options)
                try await fixture.wait(.seconds(1))
                _ = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(100 + number)))
            }
            fixture.target.script(.revoke, .failBefore(), .none, .failBefore(.denied), .failBefore())
            try await fixture.wait(.seconds(8_000))
            try await fixture.expectNoLeases()
            let byLease = Dictionary(grouping: fixture.log.events.filter { $0.generation > 0 }, by: \.lease)
            #expect(byLease.count == 11)
            for (_, events) in byLease {
                let generations = events.map(\.generation)
                #expect(generations == generations.sorted())
                #expect(events.first?.kind == .issued)
                #expect(events.last?.kind == .revoked)
                #expect(events.filter { $0.state == nil }.count == 1)
            }
        }
    }

    @Test func aStreamOfEventsEndsWithTheManager() throws {
        try ManagerWorld.run { world in
            try await withThrowingTaskGroup(of: [LeaseEvent.Kind].self) { group in
                try await world.run { fixture in
                    let events = fixture.manager.events()
                    group.addTask {
                        var kinds: [LeaseEvent.Kind] = []
                        for await element in events { kinds.append(element.event.kind) }
                        return kinds
                    }
                    try await fixture.expectIssue()
                }
                let kinds = try await group.next() ?? []
                #expect(kinds.contains(.issued))
                #expect(kinds.last == .stopped)
            }
        }
    }
}
