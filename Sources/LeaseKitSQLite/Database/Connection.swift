// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// One open database file.
///
/// Closes it when it goes.
///
/// SQLite's objects are not safe to use from two threads at once; whoever owns the connection sees to it.
struct Connection: ~Copyable {
    let handle: OpaquePointer

    /// Opens a file that is there, on the system's disk or on one that stands in its place.
    init(path: String, disk: String? = nil) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &handle, flags, disk)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw SQLiteFailure(code: code, action: "open")
        }
        self.handle = handle
    }

    deinit { sqlite3_close_v2(handle) }

    /// Whether the write-ahead log is left as it is when the connection closes.
    borrowing func keepLogOnClose(_ isKept: Bool) { _ = leasekit_sqlite3_keep_wal_on_close(handle, isKept ? 1 : 0) }

    /// Runs statements that answer nothing.
    borrowing func execute(_ sql: String, _ action: String) throws(SQLiteFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw SQLiteFailure(code: code, action: action) }
    }

    /// Makes a statement ready to be run, often.
    borrowing func prepare(_ sql: String) throws(SQLiteFailure) -> Statement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else {
            throw SQLiteFailure(code: code == SQLITE_OK ? SQLITE_ERROR : code, action: "prepare a statement")
        }
        return Statement(statement)
    }

    /// The first column of a statement's first row.
    borrowing func number(_ sql: String) throws(SQLiteFailure) -> Int64? {
        let statement = try prepare(sql)
        return try statement.next("read") ? statement.integer(0) : nil
    }

    /// The first column of every row of a statement.
    borrowing func texts(_ sql: String) throws(SQLiteFailure) -> [String] {
        let statement = try prepare(sql)
        var texts: [String] = []
        while try statement.next("read") { texts.append(statement.text(0)) }
        return texts
    }

    /// How many rows the last statement changed.
    var changes: Int { Int(sqlite3_changes(handle)) }
    /// Whether a transaction is open.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
}
