// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite

/// After how many pages the log is moved into the database and begins anew.
///
/// A log that grows costs a commit a third more than one that writes over what it held before: the file system has to sync the
/// file's new size as well. So the log of small commits goes in a small circle, which it has filled after some fifty issues. Work in
/// bulk dirties the same pages again and again, and each of them is moved once a circle: it gets a large one.
struct LogCycle {
    /// How many rows commits write of late.
    private var rows = 0

    /// Four mebibytes.
    static let small: Int32 = 1_000
    /// More would take long to read after a crash.
    static let large: Int32 = 8_000
    private static let bulk = 64

    /// The pages for a log that a commit of so many rows is added to.
    mutating func pages(for count: Int) -> Int32 {
        // Small commits between large ones do not end a circle early.
        rows = max(count, rows - rows / 8)
        return rows >= Self.bulk ? Self.large : Self.small
    }
}

extension Connection {
    /// Moves the log into the database at the next commit that leaves so many pages in it.
    borrowing func checkpoint(afterPages count: Int32) { sqlite3_wal_autocheckpoint(handle, count) }
}
