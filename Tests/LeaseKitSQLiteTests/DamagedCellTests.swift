// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A database that SQLite finds in order, and in which something stands that nobody wrote.
@Suite("A value that nobody wrote")
struct DamagedCellTests {
    private static let tables = [
        "life", "lease", "place", "owner", "role", "mount", "mount_state", "orders", "frontier", "membership",
        "lease_name",
        "placed", "gone", "epoch",
    ]
    private static let values = [
        "9223372036854775807", "-9223372036854775808", "-1", "4294967295", "0", "NULL", "'text'", "x'00FF'",
    ]

    @Test("ends no process and keeps no call from being answered", .timeLimit(.minutes(5)), arguments: tables)
    func anywhere(table: String) async throws {
        let directory = try TemporaryDirectory.inMemory()
        let sound = directory.file("sound")
        try await make(sound)
        for column in columns(of: table, in: sound) {
            for value in Self.values {
                for suffix in ["-wal", "-epoch"] { unlink(directory.file() + suffix) }
                try TemporaryDirectory.copy(sound, to: directory.file())
                guard run(directory.file(), "UPDATE \(table) SET \(column) = \(value)") else { continue }
                let store = SQLiteLeaseStore(path: directory.file(), options: StoreBench.leavingEntries, isInline: true)
                do {
                    try await use(store)
                } catch let error as StoreError {
                    #expect(!error.message.isEmpty)
                } catch let error as LeaseError {
                    #expect(error.code == .invalidCursor)
                }
                await store.drop()
            }
        }
    }

    @Test("may come from anywhere: bytes that a disk has changed", .timeLimit(.minutes(5)), arguments: UInt64(1)...4)
    func bytes(seed: UInt64) async throws {
        let directory = try TemporaryDirectory.inMemory()
        let sound = directory.file("sound")
        try await make(sound)
        let whole = TemporaryDirectory.read(sound)
        var random = SeededGenerator(seed: seed)
        for round in 1...60 {
            for suffix in ["-wal", "-epoch"] { unlink(directory.file() + suffix) }
            var bytes = whole
            for _ in 0...random.index(below: 4) {
                // Not in the first page's head alone: SQLite refuses those itself.
                let place = random.index(below: bytes.count)
                let length = random.chance(0.3) ? 1 + random.index(below: 64) : 1
                for offset in place..<min(place + length, bytes.count) {
                    bytes[offset] = UInt8(random.index(below: 256))
                }
            }
            try TemporaryDirectory.write(bytes, to: directory.file())
            let store = SQLiteLeaseStore(path: directory.file(), options: StoreBench.leavingEntries, isInline: true)
            do {
                try await use(store)
            } catch let error as StoreError {
                #expect(!error.message.isEmpty, "seed \(seed), round \(round)")
            } catch let error as LeaseError {
                #expect(error.code == .invalidCursor, "seed \(seed), round \(round)")
            }
            await store.drop()
        }
    }

    /// A table with something in each corner.
    private func make(_ path: String) async throws {
        let bench = try await StoreBench(path, options: StoreBench.leavingEntries)
        let context = StoreBench.context(bench.opening)
        var changes: [LeaseChange] = []
        for number in 1...20 as ClosedRange<UInt64> {
            var insertion = bench.insertion(number, "db/p\(number % 3)")
            insertion.role = [UInt8(number % 2)]
            insertion.fields.owner = "ann"
            insertion.fields.requestID = "r\(number)"
            if number > 5 { insertion.parent = bench.insertion(number - 5).id }
            insertion.expiresAt = StoreBench.now + .seconds(100)
            changes.append(.insert(insertion))
            if number % 7 != 0 {
                let activation = LeaseActivation(handle: [1], expiresAt: insertion.expiresAt, generation: 1)
                changes.append(.update(insertion.id, .activate(activation)))
            }
        }
        _ = try await bench.store.apply(changes, context)
        for (number, selection) in [LeaseSelection.prefix("db/p1"), .tree(bench.insertion(2).id), .mount(bench.mount)]
            .enumerated()
        {
            let order = RevocationOrder(
                id: RevocationOrderID(rawValue: UInt64(number + 1)),
                selection: selection,
                cause: LeaseCause(.requested),
                isClosing: number == 0,
                placedAt: StoreBench.now
            )
            _ = try await bench.store.place(order, claimUntil: nil, context)
            _ = try await bench.store.expand(order.id, limit: 2, context)
        }
        let removals = (18...20 as ClosedRange<UInt64>).map {
            LeaseChange.update(bench.insertion($0).id, .remove(nil, .abandoned))
        }
        _ = try await bench.store.apply(removals, context)
        _ = try await bench.store.claimDue(request(bench.mount, context.now), context)
        _ = try await bench.store.saveState(
            bench.mount,
            key: "k",
            expectedVersion: 0,
            bytes: [1],
            due: StoreBench.now,
            context
        )
        try await bench.store.record(ObservedTime(time: StoreBench.now, bootID: "boot", continuous: .seconds(1)))
        // As a crash leaves it, with claims, but in one file.
        await bench.store.drop()
        #expect(run(path, "PRAGMA wal_checkpoint(TRUNCATE)"))
    }

    private func request(_ mount: MountID, _ now: LeaseInstant) -> ClaimRequest {
        ClaimRequest(mount: mount, room: 3, lapsesAt: now + .seconds(60))
    }

    /// Every kind of call, each of which may be refused.
    private func use(_ store: SQLiteLeaseStore) async throws {
        let opening = try await StoreBench.open(store)
        var context = StoreBench.context(opening)
        context.now = StoreBench.now + .seconds(200)
        let mount = MountID(rawValue: 1)
        var first: (any Error)?
        func attempt(_ call: () async throws -> Void) async {
            do { try await call() } catch { first = first ?? error }
        }
        let id = StoreBench.insertion(1, of: mount).id
        await attempt { _ = try await store.claimDue(request(mount, context.now), context) }
        for number in 1...3 as ClosedRange<UInt64> {
            await attempt { _ = try await store.expand(RevocationOrderID(rawValue: number), limit: 100, context) }
        }
        await attempt { _ = try await store.page(.all, after: nil, limit: 5) }
        for query in [
            LeaseQuery(parent: id), LeaseQuery(state: .quarantined), LeaseQuery(owner: "ann"),
            LeaseQuery(prefix: "db/p1"),
        ] {
            await attempt {
                var cursor: LeaseCursor?
                var pages = 0
                repeat {
                    cursor = try await store.page(query, after: cursor, limit: 2).value.next
                    pages += 1
                } while cursor != nil && pages < 100
                #expect(pages < 100)
            }
        }
        for scope in [LeaseCountScope.all, .path("db/p1"), .owner("ann"), .children(id)] {
            await attempt { _ = try await store.counts(scope) }
        }
        await attempt { _ = try await store.openOrders(limit: 10) }
        await attempt { _ = try await store.nextDue([mount], .everything) }
        await attempt { _ = try await store.loadState(mount, key: "k") }
        await attempt {
            _ = try await store.saveState(mount, key: "k", expectedVersion: 1, bytes: [2], due: nil, context)
        }
        await attempt { _ = try await store.register(path: "new", kind: "test", context) }
        await attempt { _ = try await store.apply([.insert(StoreBench.insertion(99, of: mount, "db/p1"))], context) }
        for number in 1...17 as ClosedRange<UInt64> {
            let id = StoreBench.insertion(number, of: mount).id
            await attempt { _ = try await store.apply([.update(id, .remove(nil, .abandoned))], context) }
        }
        await attempt { _ = try await store.beginEpoch(context) }
        await attempt { _ = try await store.vacuum() }
        await attempt { _ = try await store.integrityCheck() }
        await store.close(opening.incarnation)
        if let first { throw first }
    }

    // MARK: - Past the store

    private func run(_ path: String, _ sql: String) -> Bool {
        var database: OpaquePointer?
        defer { sqlite3_close(database) }
        guard sqlite3_open(path, &database) == SQLITE_OK else { return false }
        return sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK
    }

    private func columns(of table: String, in path: String) -> [String] {
        var database: OpaquePointer?
        var statement: OpaquePointer?
        var names: [String] = []
        guard sqlite3_open(path, &database) == SQLITE_OK,
            sqlite3_prepare_v2(database, "SELECT name FROM pragma_table_info('\(table)')", -1, &statement, nil)
                == SQLITE_OK
        else { return [] }
        while sqlite3_step(statement) == SQLITE_ROW {
            if let text = sqlite3_column_text(statement, 0) { names.append(String(cString: text)) }
        }
        sqlite3_finalize(statement)
        sqlite3_close(database)
        return names
    }
}
