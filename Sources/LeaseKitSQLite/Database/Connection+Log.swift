// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite

extension Connection {
    /// Moves the log into the database, and syncs that.
    borrowing func checkpoint() throws(SQLiteFailure) {
        if try number("PRAGMA wal_checkpoint(TRUNCATE)") != 0 {
            throw SQLiteFailure(code: SQLITE_BUSY, action: "write the log into the database")
        }
    }

    /// Writes the log once more, byte for byte over itself, and syncs it.
    ///
    /// After a sync that failed, the log may show commits that no disk holds: Linux takes what the sync was about for written and
    /// never tries again. What is in the log now is what others are told, so it has to get to the disk first.
    borrowing func rewriteLog() throws(SQLiteFailure) {
        var found: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &found)
        guard code == SQLITE_OK, let file = found, let methods = file.pointee.pMethods?.pointee else { return }
        var size: sqlite3_int64 = 0
        try Self.check(methods.xFileSize(file, &size))
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.piece, alignment: 16)
        defer { buffer.deallocate() }
        var offset: sqlite3_int64 = 0
        while offset < size {
            let count = Int32(min(size - offset, sqlite3_int64(Self.piece)))
            try Self.check(methods.xRead(file, buffer, count, offset))
            try Self.check(methods.xWrite(file, buffer, count, offset))
            offset += sqlite3_int64(count)
        }
        if size > 0 { try Self.check(methods.xSync(file, SQLITE_SYNC_FULL)) }
    }

    /// Whether a database of ours that has no log lies beside one, which SQLite would mix into it without a word.
    ///
    /// A table in use says in its head that it has a log; a copy made by a backup says that it has none. Read past SQLite, which
    /// looks at the log with the first statement.
    borrowing func hasStrangeLog() throws(SQLiteFailure) -> Bool {
        var found: UnsafeMutablePointer<sqlite3_file>?
        var system: UnsafeMutablePointer<sqlite3_vfs>?
        guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &found) == SQLITE_OK,
            sqlite3_file_control(handle, "main", SQLITE_FCNTL_VFS_POINTER, &system) == SQLITE_OK,
            let file = found, let methods = file.pointee.pMethods?.pointee, let system,
            let name = sqlite3_db_filename(handle, "main")
        else { return false }
        var head = [UInt8](repeating: 0, count: 72)
        let code = head.withUnsafeMutableBytes { methods.xRead(file, $0.baseAddress, Int32($0.count), 0) }
        // Which versions of SQLite may write it (1: without a log), and whose it is.
        guard code == SQLITE_OK, head[18] == 1, head[68...].reduce(0, { $0 << 8 | Int64($1) }) == Schema.applicationID
        else {
            return false
        }
        var isThere: Int32 = 0
        let answer = system.pointee.xAccess(system, sqlite3_filename_wal(name), SQLITE_ACCESS_EXISTS, &isThere)
        return answer == SQLITE_OK && isThere != 0
    }

    // SQLite writes no 128 KiB at once, and takes a piece that is a multiple of it for an empty one.
    private static let piece = 1 << 16

    private static func check(_ code: Int32) throws(SQLiteFailure) {
        if code != SQLITE_OK { throw SQLiteFailure(code: code, action: "write the log once more") }
    }
}
