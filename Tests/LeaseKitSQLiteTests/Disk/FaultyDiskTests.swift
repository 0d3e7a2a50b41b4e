// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

@Suite("A disk that fails")
struct FaultyDiskTests {
    @Test("every rule of a store holds on the disk itself")
    func rules() async throws {
        try await suite().runRules()
    }

    @Test("a random run on it agrees with the model", arguments: UInt64(200)...204)
    func model(seed: UInt64) async throws {
        try await suite().runModel(seed: seed, operations: 150)
    }

    private func suite() throws -> LeaseStoreConformance {
        let directory = try TemporaryDirectory.inMemory()
        return LeaseStoreConformance {
            let name = LeaseID.random().text
            return SQLiteLeaseStore(path: directory.file(name), hooks: FaultyDisk().hooks, isInline: true)
        }
    }

    /// Calls fail, tear and lie at random: each answer is still true.
    @Test("a refused call did nothing, an unknown one is told by its record", arguments: UInt64(1)...25)
    func answersAreTrue(seed: UInt64) async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk(seed: seed)
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        var random = SeededGenerator(seed: seed)
        var truth = Truth()
        var outcomes: [StoreError.Kind?: Int] = [:]
        for operation in 1...120 as ClosedRange<UInt64> {
            let weather = Locked(random.split())
            disk.plan { call in weather.withLock { Self.answer(call, &$0) } }
            let wish = truth.wish(bench, operation, &random)
            var kind: StoreError.Kind?
            do {
                let outcome = try await bench.store.apply(
                    [wish],
                    StoreBench.context(bench.opening, operation: operation)
                )
                #expect(outcome.value[0].record != nil, "seed \(seed), operation \(operation)")
            } catch let error as StoreError {
                kind = error.kind
            }
            outcomes[kind, default: 0] += 1
            disk.plan(nil)
            let found = try await bench.store.find([wish.lease]).value[0]
            if kind == nil || kind == .unknown && truth.isDone(wish, found, operation) { truth.did(wish, operation) }
            let said = try await bench.store.page(.all, after: nil, limit: 1_000).value.records
            #expect(truth.agrees(with: said), "seed \(seed), operation \(operation), answer \(kind as Any)")
            let counted = try await bench.store.counts(.all).value.total
            #expect(counted == truth.count)
            if operation % 40 == 0 {
                // What was true before the power goes is true after it.
                disk.cut(.leavesNothing)
                await bench.store.drop()
                disk.restart()
                let check = SQLiteLeaseStore(path: directory.file(), hooks: disk.hooks, isInline: true)
                _ = try await StoreBench.open(check)
                #expect(truth.agrees(with: try await check.page(.all, after: nil, limit: 1_000).value.records))
                #expect(try await check.integrityCheck().isEmpty)
                return #expect(outcomes[nil] != nil && outcomes.count > 1, "nothing failed with seed \(seed)")
            }
        }
    }

    private static func answer(_ call: DiskCall, _ random: inout SeededGenerator) -> DiskAnswer {
        switch call.kind {
        case .write:
            if random.chance(0.02) { return .tear(SQLITE_IOERR | (3 << 8)) }
            if random.chance(0.02) { return .fail(SQLITE_FULL) }
            return random.chance(0.02) ? .lie(SQLITE_IOERR | (3 << 8)) : .done
        case .sync:
            let code = random.chance(0.5) ? SQLITE_FULL : SQLITE_IOERR | (4 << 8)
            return random.chance(0.1) ? .fail(code) : random.chance(0.1) ? .lie(code) : .done
        case .read: return random.chance(0.02) ? .fail(SQLITE_IOERR | (1 << 8)) : .done
        default: return .done
        }
    }

    @Test("a full disk: refused with advice, nothing half-done, and on it goes when there is room")
    func full() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        try await bench.insert(1)
        disk.plan { $0.kind == .write ? .fail(SQLITE_FULL) : .done }
        for number in 2...5 as ClosedRange<UInt64> {
            let error = await StoreBench.refusal { try await bench.insert(number) }
            #expect(error?.kind == .refused)
            #expect(error?.message.contains("free some space") == true)
        }
        #expect(try await bench.store.counts(.all).value.total == 1)
        disk.plan(nil)
        for number in 2...5 as ClosedRange<UInt64> { try await bench.insert(number) }
        #expect(try await bench.store.counts(.all).value.total == 5)
        #expect(try await bench.store.integrityCheck().isEmpty)
        await bench.close()
    }

    @Test("a disk that vanishes and comes back")
    func vanished() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        try await bench.insert(1)
        disk.plan { $0.kind == .open ? .fail(SQLITE_CANTOPEN) : .fail(SQLITE_IOERR) }
        #expect(await StoreBench.refusal { try await bench.insert(2) }?.kind == .unknown)
        for _ in 1...3 {
            let error = await StoreBench.refusal { _ = try await bench.store.find([bench.insertion(1).id]) }
            #expect(error?.kind == .unavailable)
            #expect(await StoreBench.refusal { try await bench.insert(2) }?.kind == .unavailable)
        }
        disk.plan(nil)
        #expect(try await bench.store.counts(.all).value.total == 1)
        try await bench.insert(2)
        await bench.close()
    }
}

/// What must be true of a table, by the answers of its store.
private struct Truth {
    private var leases: [LeaseID: (generation: UInt32, operation: UInt64)] = [:]
    private var next: UInt64 = 0

    var count: Int { leases.count }

    mutating func wish(_ bench: StoreBench, _ operation: UInt64, _ random: inout SeededGenerator) -> LeaseChange {
        let ids = leases.keys.sorted { $0.high < $1.high }
        if ids.count < 3 || random.chance(0.5) {
            next += 1
            var insertion = bench.insertion(next, "db/p\(next % 4)")
            insertion.kind = .session
            insertion.isRenewable = true
            return .insert(insertion)
        }
        let id = ids[random.index(below: ids.count)]
        if random.chance(0.3) { return .update(id, .remove(nil, .abandoned)) }
        let expiry = StoreBench.now + .seconds(600 + Int64(operation))
        return .update(id, .extend(LeaseExtension(expiresAt: expiry, generation: leases[id]?.generation ?? 0)))
    }

    /// Whether a call whose answer was lost was done, by the record.
    func isDone(_ wish: LeaseChange, _ found: LeaseRecord?, _ operation: UInt64) -> Bool {
        if case .update(_, .remove) = wish { return found == nil }
        return found?.operation == operation
    }

    mutating func did(_ wish: LeaseChange, _ operation: UInt64) {
        let generation = leases[wish.lease]?.generation ?? 0
        leases[wish.lease] = (generation + 1, operation)
        if case .update(let id, .remove) = wish { leases[id] = nil }
    }

    func agrees(with records: [LeaseRecord]) -> Bool {
        records.count == leases.count
            && records.allSatisfy { record in
                leases[record.id].map { $0 == (record.generation, record.operation) } ?? false
            }
    }
}
