// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The right to have a database open, held through a lock on a file beside it.
///
/// The system drops the lock when the process ends, however it ends: nobody has to clean up, and nobody can be locked out by the
/// dead. SQLite's own locks would do, too, but for one thing: they are gone as soon as anything in the process opens and closes
/// the database file, a log shipper, say.
struct FileLock: ~Copyable {
    private let file: Int32

    /// Takes the lock, or says at once who has it.
    init(_ path: String, for database: String) throws {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DatabaseFile.refusal(database, errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = Self.holder(file)
            close(file)
            if code != EWOULDBLOCK { throw DatabaseFile.refusal(database, code) }
            throw StoreError(
                .unavailable,
                "the lease database \(database) is open already\(holder); only one manager may have it, so stop that one first, or "
                    + "give this one a file of its own"
            )
        }
        let note = Array("\(getpid())\n".utf8)
        _ = ftruncate(file, 0)
        _ = note.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        self.file = file
    }

    // The file stays: removing it would let two processes each hold the lock on a file of that name.
    deinit { close(file) }

    private static func holder(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        let text = String(decoding: bytes.prefix(max(0, count)).filter { $0 > 0x20 }, as: UTF8.self)
        guard let process = Int32(text) else { return "" }
        return process == getpid() ? " in this very process" : " in process \(process)"
    }
}
