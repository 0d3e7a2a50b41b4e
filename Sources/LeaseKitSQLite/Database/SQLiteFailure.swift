// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// What SQLite answered when it did not do what it was asked.
struct SQLiteFailure: Error {
    /// SQLite's extended result code.
    let code: Int32
    /// What it was asked, in our own words.
    let action: String

    /// The code without its extension.
    var primary: Int32 { code & 0xFF }

    /// Whether the disk failed, so that nobody knows what the file holds now; a commit, too, may be in it.
    var isOfDisk: Bool {
        [SQLITE_IOERR, SQLITE_FULL, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN].contains(primary)
    }

    /// What a commit answers when nobody can say whether the file holds it.
    func lostAnswer(file: String) -> StoreError {
        StoreError(
            .unknown,
            "the answer to a commit was lost (\(detail)); the lease database \(file) is read again from the disk, and the "
                + "record then tells",
            underlying: self
        )
    }

    /// What it means for whoever asked the store, when nothing was done.
    func storeError(file: String, _ what: String = "lease database") -> StoreError {
        switch primary {
        case SQLITE_FULL:
            return refused("the disk of the \(what) \(file) is full; free some space", .refused)
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            return refused("the \(what) \(file) is read-only; give this user the right to write it", .refused)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return refused(
                "the \(what) \(file) is locked by another process; stop that one, or give this one a file of its own",
                .unavailable
            )
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return refused(
                "the \(what) \(file) is damaged; move it aside and restore a backup made by backup(to:), or save what "
                    + "can be read with the sqlite3 tool's .recover",
                .refused
            )
        case SQLITE_CANTOPEN:
            return refused(
                "the \(what) \(file) cannot be opened; check that its directory is there and that this user may write it",
                .unavailable
            )
        case SQLITE_NOMEM:
            return refused("there was no memory for the \(what) \(file)", .unavailable)
        case SQLITE_IOERR:
            return refused("the disk of the \(what) \(file) fails; check it", .unavailable)
        default:
            return refused("the \(what) \(file) refused to \(action)", .unavailable)
        }
    }

    private func refused(_ sentence: String, _ kind: StoreError.Kind) -> StoreError {
        StoreError(kind, "\(sentence) (\(detail))", underlying: self)
    }

    /// SQLite's own words for the code, which hold nothing of ours.
    private var detail: String {
        "\(action): \(String(cString: sqlite3_errstr(code))), code \(code)"
    }
}
