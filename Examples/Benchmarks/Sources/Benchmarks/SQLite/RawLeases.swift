// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CRawSQLite

/// The baseline of what depends on the size: a copy of the very table, with all its indexes, through SQLite's C API.
///
/// It reads and writes the rows that LeaseKit does, as many in one synced commit, and understands nothing of them. What it takes
/// is what the layout of the table costs on this machine.
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
            "SELECT sequence, record FROM lease INDEXED BY lease_due WHERE mount = 1 AND urgency = 0 AND due > 0 ORDER BY due LIMIT ?1"
        )
        let claim = prepare("UPDATE lease SET record = ?2, urgency = 0, due = NULL, phase = 10 WHERE sequence = ?1")
        let remove = prepare("DELETE FROM lease WHERE sequence = ?1")
        defer { for statement in [find, claim, remove] { sqlite3_finalize(statement) } }
        let start = ContinuousClock.now
        var left = count
        while left > 0 {
            var found: [(sequence: Int64, record: [UInt8])] = []
            run("BEGIN IMMEDIATE")
            sqlite3_bind_int64(find, 1, Int64(min(left, 2_048)))
            while sqlite3_step(find) == SQLITE_ROW {
                let bytes = UnsafeRawBufferPointer(
                    start: sqlite3_column_blob(find, 1),
                    count: Int(sqlite3_column_bytes(find, 1))
                )
                found.append((sqlite3_column_int64(find, 0), Array(bytes)))
            }
            sqlite3_reset(find)
            for (sequence, record) in found {
                sqlite3_bind_int64(claim, 1, sequence)
                _ = record.withUnsafeBytes { sqlite3_bind_blob(claim, 2, $0.baseAddress, Int32($0.count), nil) }
                sqlite3_step(claim)
                sqlite3_reset(claim)
            }
            run("COMMIT")
            run("BEGIN IMMEDIATE")
            for (sequence, _) in found {
                sqlite3_bind_int64(remove, 1, sequence)
                sqlite3_step(remove)
                sqlite3_reset(remove)
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
            "SELECT sequence, record FROM lease INDEXED BY lease_place WHERE place = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
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

    private func prepare(_ sql: String) -> OpaquePointer? {
        var statement: OpaquePointer?
        sqlite3_prepare_v2(database, sql, -1, &statement, nil)
        precondition(statement != nil, "the baseline cannot run: \(sql)")
        return statement
    }
}
