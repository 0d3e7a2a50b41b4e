// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// A copy of an open database, made a few pages at a time while the table is in use.
///
/// Unchecked, because it has no protection of its own: the engine alone touches it, on one thread at a time.
final class OnlineBackup: @unchecked Sendable {
    private let path: String
    private let draft: BackupDraft
    private let target: Connection
    /// Nil when all is copied, and when the table was let go meanwhile.
    private var backup: OpaquePointer?
    private weak var table: LeaseTable?

    /// How many pages are copied before others get their turn.
    private static let pages: Int32 = 512

    /// Begins a copy beside `path`; nothing is at `path` itself before it is whole.
    init(of table: LeaseTable, to path: String) throws {
        self.path = path
        self.table = table
        draft = try BackupDraft(of: path)
        do {
            target = try Connection(path: draft.path)
        } catch {
            throw error.storeError(file: path, "copy")
        }
        guard let backup = sqlite3_backup_init(target.handle, "main", table.connection.handle, "main") else {
            let code = sqlite3_extended_errcode(target.handle)
            throw SQLiteFailure(code: code, action: "begin a backup").storeError(file: path, "copy")
        }
        self.backup = backup
        table.backups.append(self)
    }

    deinit { end() }

    /// Lets go of the table: SQLite keeps a database open, and locked, for as long as a copy of it is being made.
    func end() {
        guard let backup else { return }
        self.backup = nil
        sqlite3_backup_finish(backup)
    }

    /// Copies some pages; true at the end.
    func copySome() throws -> Bool {
        guard let backup else {
            throw StoreError(
                .unavailable,
                "the lease database was closed, or its disk failed, before the copy \(path) was whole; make another one"
            )
        }
        let code = sqlite3_backup_step(backup, Self.pages)
        if code == SQLITE_OK { return false }
        end()
        table?.backups.removeAll { $0 === self }
        if code != SQLITE_DONE { throw trouble(SQLiteFailure(code: code, action: "copy a page")) }
        return true
    }

    /// Marks the copy as one, and puts it in its place.
    func finish() throws {
        do {
            guard try target.texts("PRAGMA journal_mode = DELETE") == ["delete"] else {
                throw SQLiteFailure(code: SQLITE_BUSY, action: "finish a backup")
            }
            try target.execute("PRAGMA synchronous = FULL; UPDATE life SET is_backup = 1", "mark a backup")
        } catch let failure as SQLiteFailure {
            throw trouble(failure)
        }
        try draft.put(at: path)
    }

    /// Removes what there is of a copy that came to nothing.
    func discard() {
        end()
        table?.backups.removeAll { $0 === self }
        draft.remove()
    }

    /// What is damaged is the table; all else that fails is where the copy is to be.
    private func trouble(_ failure: SQLiteFailure) -> any Error {
        if [SQLITE_CORRUPT, SQLITE_NOTADB].contains(failure.primary) { return failure }
        return failure.storeError(file: path, "copy")
    }
}
