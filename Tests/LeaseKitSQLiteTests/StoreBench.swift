// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import Testing

/// Short ways to say what tests of the store say often.
struct StoreBench {
    let store: SQLiteLeaseStore
    let opening: StoreOpening
    let mount: MountID
    static let now = LeaseInstant(secondsSinceEpoch: 1_800_000_000)

    init(
        _ path: String,
        options: SQLiteLeaseStore.Options = .init(),
        hooks: CommitHooks = CommitHooks(),
        isInline: Bool = true
    ) async throws {
        store = SQLiteLeaseStore(path: path, options: options, hooks: hooks, isInline: isInline)
        opening = try await Self.open(store)
        let context = Self.context(opening)
        mount = try await store.register(path: "db", kind: "test", context).value.id
    }

    /// Options by which a small table leaves behind what large ones do, and takes it out as they do.
    static var leavingEntries: SQLiteLeaseStore.Options {
        var options = SQLiteLeaseStore.Options()
        (options.leftovers.table, options.leftovers.generation, options.leftovers.path) = (1, 4, 3)
        return options
    }

    static func open(_ store: SQLiteLeaseStore) async throws -> StoreOpening {
        let reading = TimeReading(wall: now, continuous: .seconds(5), suspending: .seconds(5), bootID: "boot")
        return try await store.open(at: reading)
    }

    static func context(_ opening: StoreOpening, operation: UInt64 = 7) -> StoreContext {
        StoreContext(
            now: now,
            operation: operation,
            incarnation: opening.incarnation,
            cause: LeaseCause(.requested)
        )
    }

    func insertion(_ number: UInt64, _ path: String = "db/app") -> LeaseInsertion {
        Self.insertion(number, of: mount, path)
    }

    static func insertion(_ number: UInt64, of mount: MountID, _ path: String = "db/app") -> LeaseInsertion {
        LeaseInsertion(
            id: LeaseID(high: number, low: number &* 0x9E37_79B9_7F4A_7C15),
            mount: mount,
            path: path,
            handle: [1, 2, 3],
            issuedAt: now,
            expiresAt: now + .seconds(600),
            deadline: now + .seconds(30)
        )
    }

    @discardableResult
    func insert(_ number: UInt64, _ path: String = "db/app") async throws -> LeaseID {
        let insertion = insertion(number, path)
        let outcome = try await store.apply([.insert(insertion)], Self.context(opening, operation: number)).value[0]
        #expect(outcome.record != nil)
        return insertion.id
    }

    func close() async { await store.close(opening.incarnation) }

    /// Runs statements on a closed database, past the store.
    static func tamper(_ path: String, _ sql: String) {
        var database: OpaquePointer?
        #expect(sqlite3_open(path, &database) == SQLITE_OK)
        #expect(sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK)
        sqlite3_close(database)
    }

    /// What a statement answers on a closed database.
    static func number(_ path: String, _ sql: String) -> Int64? {
        var database: OpaquePointer?
        var statement: OpaquePointer?
        defer {
            sqlite3_finalize(statement)
            sqlite3_close(database)
        }
        guard sqlite3_open(path, &database) == SQLITE_OK,
            sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK,
            sqlite3_step(statement) == SQLITE_ROW
        else { return nil }
        return sqlite3_column_int64(statement, 0)
    }

    /// The error that a call throws; nil when it does not.
    static func refusal(_ body: () async throws -> Void) async -> StoreError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StoreError
        }
    }
}
