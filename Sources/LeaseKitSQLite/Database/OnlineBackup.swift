// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// A copy of an open database, made a few pages at a time while the table is in use.
///
/// Unchecked, because it has no protection of its own: the engine alone touches it, on one thread at a time.
final class OnlineBackup: @unchecked Sendable {
    private let target: Connection
    private let backup: OpaquePointer
    private let draft: String
    private var isOver = false

    /// How many pages are copied before others get their turn.
    private static let pages: Int32 = 512

    /// Begins a copy beside `path`; nothing is at `path` itself before it is whole.
    init(of source: borrowing Connection, to path: String) throws {
        draft = path + "-partial"
        removeFile(draft)
        _ = try DatabaseFile.prepare(draft)
        target = try Connection(path: draft)
        guard let backup = sqlite3_backup_init(target.handle, "main", source.handle, "main") else {
            throw SQLiteFailure(code: sqlite3_extended_errcode(target.handle), action: "begin a backup")
        }
        self.backup = backup
    }

    deinit {
        if !isOver { sqlite3_backup_finish(backup) }
    }

    /// Copies some pages; true at the end.
    func copySome() throws -> Bool {
        let code = sqlite3_backup_step(backup, Self.pages)
        if code == SQLITE_OK { return false }
        isOver = true
        sqlite3_backup_finish(backup)
        if code != SQLITE_DONE { throw SQLiteFailure(code: code, action: "copy a page") }
        return true
    }

    /// Marks the copy as one, and puts it in its place.
    func finish(at path: String) throws {
        guard try target.texts("PRAGMA journal_mode = DELETE") == ["delete"] else {
            throw SQLiteFailure(code: SQLITE_BUSY, action: "finish a backup")
        }
        try target.execute("PRAGMA synchronous = FULL; UPDATE life SET is_backup = 1", "mark a backup")
        try renameFile(draft, to: path)
        DatabaseFile.syncDirectory(of: path)
    }

    /// Removes what there is of a copy that came to nothing.
    func discard() { removeFile(draft) }
}
