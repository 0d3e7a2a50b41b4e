// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CRawSQLite

/// The baseline of what depends on the size: a copy of the very table, with all its indexes, through SQLite's C API.
///
/// It reads and writes the rows that LeaseKit does, as many in one synced commit, and understands nothing of them. It leaves
/// nothing behind for later: what it takes is what a lease costs whose entries are removed with it.
final class RawLeases {
    private var database: OpaquePointer?

    init(path: String) {
        sqlite3_open(path, &database)
        run(
            """
            PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000
            """
        )
    }

    deinit { sqlite3_close(database) }

    /// Claims the first `count` leases that are due, 2,048 at a time, and removes them; nanoseconds.
    func removeDue(_ count: Int) -> Double {
        let find = prepare(
            "SELECT sequence, record, id, place FROM lease INDEXED BY lease_due WHERE mount = 1 AND urgency = 0 AND due > 0 ORDER BY due LIMIT ?1"
        )
        let claim = prepare("UPDATE lease SET record = ?2, urgency = 0, due = NULL, phase = 10 WHERE sequence = ?1")
        // The row, and its entries in the two indexes that are tables, at once.
        let removals = [
            "lease WHERE sequence = ?1", "lease_name WHERE name = ?2 AND lease = ?1",
            "placed WHERE at = ?3 AND lease = ?1",
        ].map { prepare("DELETE FROM \($0)") }
        defer { for statement in [find, claim] + removals { sqlite3_finalize(statement) } }
        let start = ContinuousClock.now
        var left = count
        while left > 0 {
            var found: [(sequence: Int64, record: [UInt8], id: [UInt8], place: Int64)] = []
            run("BEGIN IMMEDIATE")
            sqlite3_bind_int64(find, 1, Int64(min(left, 2_048)))
            while sqlite3_step(find) == SQLITE_ROW {
                let (record, id) = (bytes(find, 1), bytes(find, 2))
                found.append((sqlite3_column_int64(find, 0), record, id, sqlite3_column_int64(find, 3)))
            }
            sqlite3_reset(find)
            for (sequence, record, _, _) in found {
                sqlite3_bind_int64(claim, 1, sequence)
                bind(claim, 2, record)
                sqlite3_step(claim)
                sqlite3_reset(claim)
            }
            run("COMMIT")
            run("BEGIN IMMEDIATE")
            for (sequence, _, id, place) in found {
                for (number, removal) in removals.enumerated() {
                    sqlite3_bind_int64(removal, 1, sequence)
                    if number == 1 { bind(removal, 2, id) }
                    if number == 2 { sqlite3_bind_int64(removal, 3, place) }
                    sqlite3_step(removal)
                    sqlite3_reset(removal)
                }
            }
            run("COMMIT")
            precondition(!found.isEmpty, "the copy has fewer leases that are due")
            left -= found.count
        }
        return (ContinuousClock.now - start).nanoseconds
    }

    /// Reads so many pages of 100 leases below a path; nanoseconds for each.
    func pages(_ count: Int, below prefix: String) -> [Double] {
        let places = prepare("SELECT id FROM place WHERE path > '\(prefix)/' AND path < '\(prefix)0' ORDER BY path")
        let rows = prepare(
            """
            SELECT sequence, record FROM placed CROSS JOIN lease ON sequence = placed.lease
            WHERE at = ?1 AND placed.lease > ?2 ORDER BY placed.lease LIMIT ?3
            """
        )
        defer { for statement in [places, rows] { sqlite3_finalize(statement) } }
        var (place, last): (Int64?, Int64) = (nil, 0)
        return (0..<count).map { _ in
            let start = ContinuousClock.now
            var (left, size) = (100, 0)
            while left > 0 {
                if place == nil {
                    // After the last place the first one comes again.
                    guard sqlite3_step(places) == SQLITE_ROW || sqlite3_step(places) == SQLITE_ROW else { break }
                    (place, last) = (sqlite3_column_int64(places, 0), 0)
                }
                let wanted = left
                sqlite3_bind_int64(rows, 1, place ?? 0)
                sqlite3_bind_int64(rows, 2, last)
                sqlite3_bind_int64(rows, 3, Int64(wanted))
                while sqlite3_step(rows) == SQLITE_ROW {
                    last = sqlite3_column_int64(rows, 0)
                    size += Int(sqlite3_column_bytes(rows, 1))
                    left -= 1
                }
                sqlite3_reset(rows)
                if left > 0 { place = nil }
            }
            precondition(size > 0)
            return (ContinuousClock.now - start).nanoseconds
        }
    }

    private func run(_ sql: String) {
        precondition(sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK, "the baseline cannot run: \(sql)")
    }

    private func bytes(_ statement: OpaquePointer?, _ column: Int32) -> [UInt8] {
        let start = sqlite3_column_blob(statement, column)
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    private func bind(_ statement: OpaquePointer?, _ index: Int32, _ bytes: [UInt8]) {
        // SQLite's word for "copy them", which Swift does not see.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        _ = bytes.withUnsafeBytes { sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), copied) }
    }

    private func prepare(_ sql: String) -> OpaquePointer? {
        var statement: OpaquePointer?
        sqlite3_prepare_v2(database, sql, -1, &statement, nil)
        precondition(statement != nil, "the baseline cannot run: \(sql)")
        return statement
    }
}
