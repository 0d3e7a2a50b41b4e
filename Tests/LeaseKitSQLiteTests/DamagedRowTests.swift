// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

@Suite("A row that cannot be read")
struct DamagedRowTests {
    @Test("it is set aside and reported, the rest goes on, and an operator can drop it")
    func setAside() async throws {
        let directory = try TemporaryDirectory()
        let time = VirtualTime()
        let target = InMemoryTarget(time: time)
        let backend = InMemoryBackend(
            target: target,
            time: time,
            roles: ["app": InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(7_200)))],
            abilities: BackendAbilities(callStyle: .immediate)
        )
        var ids: [LeaseID] = []
        try await withLeaseManager(store: SQLiteLeaseStore(path: directory.file(), isInline: true), time: time) {
            manager in
            let mount = try await manager.mount(backend, at: "database")
            for _ in 0..<3 { ids.append(try await mount.issue("app").id) }
        }
        StoreBench.tamper(directory.file(), "UPDATE lease SET record = x'01FF' WHERE sequence = 2")
        StoreBench.tamper(directory.file(), "UPDATE lease SET record = x'63' || substr(record, 2) WHERE sequence = 3")

        let store = SQLiteLeaseStore(path: directory.file(), isInline: true)
        try await withLeaseManager(store: store, time: time) { manager in
            let events = manager.events()
            _ = try await manager.mount(backend, at: "database")
            #expect(try await manager.lease(ids[1])?.state == .quarantined)
            #expect(try await manager.lease(ids[2])?.failure?.code == "futureVersion")
            var reported: [LeaseID?] = []
            for await element in events where element.event.kind == .quarantined {
                reported.append(element.event.lease)
                if reported.count == 2 { break }
            }
            #expect(reported == [ids[1], ids[2]])
            let page = try await store.page(LeaseQuery(state: .quarantined), after: nil, limit: 10).value
            #expect(page.records.map(\.id) == [ids[1], ids[2]])
            let counts = try await manager.counts()
            #expect(counts[.quarantined] == 2)
            #expect(counts[.active] == 1)
            let report = try await manager.revoke(.lease(ids[0]))
            #expect(report.revoked == 1)
            try await manager.abandon(ids[1])
            #expect(try await manager.counts().total == 1)
        }
    }

    @Test("it keeps its bytes, and is found by whoever claims what is due")
    func claimed() async throws {
        let directory = try TemporaryDirectory()
        var bench = try await StoreBench(directory.file())
        for number in 1...3 as ClosedRange<UInt64> { try await bench.insert(number) }
        await bench.close()
        StoreBench.tamper(directory.file(), "UPDATE lease SET record = x'01FF' WHERE sequence = 2")
        bench = try await StoreBench(directory.file())
        // Opening looked at it already, as at everything that was pending.
        let request = ClaimRequest(mount: bench.mount, room: 10, lapsesAt: StoreBench.now + .seconds(60))
        let claimed = try await bench.store.claimDue(request, StoreBench.context(bench.opening)).value
        #expect(claimed.count == 2)
        let rearm = LeaseChange.update(bench.insertion(2).id, .rearm)
        let outcome = try await bench.store.apply([rearm], StoreBench.context(bench.opening)).value[0]
        #expect(outcome.refusal == .wrongState(.quarantined))
        await bench.close()
        let kept = "SELECT count(*) FROM lease WHERE sequence = 2 AND record = x'01FF' AND phase = 6"
        #expect(StoreBench.number(directory.file(), kept) == 1)
    }
}
