// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One thing that SQLite asks of a ``FaultyDisk``.
struct DiskCall: Sendable {
    /// What it asks.
    let kind: Kind
    /// Of which file.
    let file: File
    /// The place among all calls that can change what is on the disk, from 1; reads have the number of the change before them.
    let number: Int

    enum Kind: Sendable {
        case open, read, write, truncate, sync, delete

        /// Whether it can change what is on the disk.
        var isChange: Bool { self != .open && self != .read }
    }

    enum File: Sendable {
        /// The database itself, its write-ahead log, or anything else.
        case database, log, other

        init(_ path: String) {
            if path.hasSuffix("-wal") {
                self = .log
            } else {
                self = path.hasSuffix("-journal") ? .other : .database
            }
        }
    }
}

/// What a ``FaultyDisk`` does when it is asked.
enum DiskAnswer: Sendable {
    /// What it was asked.
    case done
    /// Nothing, and says so with an SQLite code.
    ///
    /// What a failed sync was about is never written any more, as on Linux: later syncs take it for clean.
    case fail(Int32)
    /// A part of a write, and says that it failed.
    case tear(Int32)
    /// All of it, and says that it failed.
    case lie(Int32)
    /// The power goes instead; nothing works until ``FaultyDisk/restart()``.
    case cut(PowerCut)
}

/// What is left of the writes that were not synced when the power went.
enum PowerCut: Sendable, CaseIterable {
    /// All of them: the process was killed, and the system lives on.
    case leavesAll
    /// None of them.
    case leavesNothing
    /// Any of them, in any order, whole or torn; the disk's seed says which.
    case leavesAnything
}
