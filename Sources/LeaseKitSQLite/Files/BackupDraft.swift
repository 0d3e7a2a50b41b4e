// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file in which a copy is made, beside the place where it is to be.
///
/// One copy to a place is made at a time: a second one would write into the file of the first, and either would be called whole
/// while the other is at work. The lock on it goes with the process, so that what a dead one left is written over.
final class BackupDraft {
    let path: String
    /// -1 once it is closed.
    private var file: Int32
    private let suffixes = ["", "-journal", "-wal"]

    init(of copy: String) throws {
        let suffix = "-partial"
        path = copy + suffix
        try DatabaseFile.checkName(copy, "copy", adding: suffix.utf8.count)
        if DatabaseFile.exists(copy) { throw Self.taken(copy) }
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw DatabaseFile.refusal(copy, errno, "copy") }
        let isLocked = flock(file, LOCK_EX | LOCK_NB) == 0
        // Whoever had it may have put it in its place since it was opened here.
        guard isLocked, isInPlace, !DatabaseFile.exists(copy) else {
            throw StoreError(.refused, "a copy to \(copy) is being made already; wait for it, or name another file")
        }
        for suffix in suffixes.dropFirst() { unlink(path + suffix) }
        guard ftruncate(file, 0) == 0, fchmod(file, 0o600) == 0 else {
            throw DatabaseFile.refusal(copy, errno, "copy")
        }
    }

    deinit { release() }

    /// Closes the file, which drops the locks of all who have it open in this process: before anybody is told of the copy.
    private func release() {
        if file >= 0 { close(file) }
        file = -1
    }

    private var isInPlace: Bool {
        var (own, other) = (stat(), stat())
        guard fstat(file, &own) == 0, lstat(path, &other) == 0 else { return false }
        return own.st_ino == other.st_ino && own.st_dev == other.st_dev && own.st_mode & S_IFMT == S_IFREG
    }

    /// Puts the copy in its place; never over another file.
    func put(at copy: String) throws {
        if access(copy, F_OK) == 0 { throw Self.taken(copy) }
        guard rename(path, copy) == 0 else { throw DatabaseFile.refusal(copy, errno, "copy") }
        DatabaseFile.syncDirectory(of: copy)
        release()
    }

    /// Removes what there is of a copy that came to nothing.
    func remove() {
        for suffix in suffixes { unlink(path + suffix) }
    }

    private static func taken(_ copy: String) -> StoreError {
        StoreError(.refused, "there is a file at \(copy) already; name another one, or remove it first")
    }
}
