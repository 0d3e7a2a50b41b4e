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

    /// What a row names may be lost as well: its path, the version of its role; or a column may be another one's.
    @Test(
        "it is set aside when what it refers to is lost, and the rest goes on",
        arguments: [
            "UPDATE lease SET place = 999 WHERE sequence = 2", "UPDATE lease SET role = 999 WHERE sequence = 2",
            "UPDATE lease SET phase = 200 WHERE sequence = 2", "UPDATE lease SET id = x'01' WHERE sequence = 2",
            "UPDATE lease SET id = zeroblob(16) WHERE sequence = 2",
        ]
    )
    func lostReference(damage: String) async throws {
        let directory = try TemporaryDirectory()
        var bench = try await StoreBench(directory.file())
        for number in 1...3 as ClosedRange<UInt64> {
            var insertion = bench.insertion(number, "db/p\(number)")
            insertion.role = [UInt8(number)]
            let end = LeaseActivation(handle: [1], expiresAt: insertion.expiresAt, generation: 1)
            let changes = [LeaseChange.insert(insertion), .update(insertion.id, .activate(end))]
            _ = try await bench.store.apply(changes, StoreBench.context(bench.opening))
        }
        await bench.close()
        StoreBench.tamper(directory.file(), damage)
        bench = try await StoreBench(directory.file())
        var context = StoreBench.context(bench.opening)
        context.now = StoreBench.now + .seconds(700)
        let request = ClaimRequest(mount: bench.mount, room: 10, lapsesAt: context.now + .seconds(60))
        let reply = try await bench.store.claimDue(request, context)
        #expect(reply.value.map(\.record.id) == [bench.insertion(1).id, bench.insertion(3).id])
        #expect(reply.setAside.count == 1)
        let quarantined = try await bench.store.page(LeaseQuery(state: .quarantined), after: nil, limit: 10).value
            .records
        let lost = try #require(quarantined.first)
        #expect(try await bench.store.counts(.all).value[.quarantined] == 1)
        let removal = LeaseChange.update(lost.id, .remove(nil, .abandoned))
        #expect(try await bench.store.find([lost.id]).value[0]?.state == .quarantined)
        let removed = try await bench.store.apply([removal], StoreBench.context(bench.opening)).value[0]
        #expect(removed.record != nil)
        await bench.close()
        bench = try await StoreBench(directory.file())
        #expect(try await bench.store.page(.all, after: nil, limit: 10).value.records.count == 2)
        await bench.close()
    }
}
