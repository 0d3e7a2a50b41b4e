// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where a test may step between the store and its disk.
package struct CommitHooks: Sendable {
    /// Called before a commit; an SQLite code makes it fail, and nothing is done.
    package var before: (@Sendable () -> Int32?)?
    /// Called after a commit that happened; an SQLite code has its answer lost.
    package var after: (@Sendable () -> Int32?)?

    /// Called before a transaction; statements to run first, such as one that limits the size of the file.
    package var begin: (@Sendable () -> String?)?

    /// The name of the SQLite layer (VFS) that stands in the place of the disk; nil for the system's own.
    package var disk: String?

    /// Makes hooks; without any, nothing is in the way.
    package init(
        before: (@Sendable () -> Int32?)? = nil,
        after: (@Sendable () -> Int32?)? = nil,
        begin: (@Sendable () -> String?)? = nil,
        disk: String? = nil
    ) {
        self.before = before
        self.after = after
        self.begin = begin
        self.disk = disk
    }
}
