// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The right to have a database open, held through locks on a file beside it.
///
/// The system drops the locks when the process ends, however it ends: nobody has to clean up, and nobody can be locked out by the
/// dead. There are two, because each has a hole that the other one closes:
///
/// - The lock of the *process* (`fcntl`) ends with the process alone, also when a child that it forked lives on. But it is gone
///   as soon as anything in the process opens and closes the file, a log shipper, say; and it does not keep the process's own
///   second store out.
/// - The lock of the *open file* (`flock`) has neither flaw, but children inherit it, and keep it after their parent is dead.
///
/// So a process that is gone and seems to hold the second one alone holds nothing. Who has them is noted in the file.
struct FileLock: ~Copyable {
    private let file: Int32
    private let identity: FileIdentity
    private let owner = getpid()

    /// What this process holds, so that it never opens and closes such a file once more.
    private static let held = Locked<Set<FileIdentity>>([])

    /// Takes the locks, or says at once who has them.
    init(_ path: String, for database: String) throws {
        (file, identity) = try Self.held.withLock { held in
            if let known = FileIdentity(path), held.contains(known) {
                throw Self.taken(database, by: " in this very process")
            }
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw DatabaseFile.refusal(path, errno, "file") }
            do {
                try Self.lock(file, for: database)
                guard let identity = FileIdentity(file) else { throw DatabaseFile.refusal(database, errno) }
                held.insert(identity)
                return (file, identity)
            } catch {
                close(file)
                throw error
            }
        }
        Self.note(owner, in: file)
    }

    private static let nobody: pid_t = 0

    /// Says who has the locks: over what was said before, so that a full disk has room for it.
    private static func note(_ holder: pid_t, in file: Int32) {
        let note = Array("\(holder)\n".utf8)
        _ = note.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        ftruncate(file, off_t(note.count))
    }

    // The file stays: removing it would let two processes each hold the lock on a file of that name.
    deinit {
        // In a forked child the locks are its parent's, which goes on.
        let isOwner = getpid() == owner
        Self.held.withLock { held in
            if isOwner {
                Self.note(Self.nobody, in: file)
                flock(file, LOCK_UN)
            }
            close(file)
            held.remove(identity)
        }
    }

    private static func lock(_ file: Int32, for database: String) throws {
        var whole = flock_t()
        whole.l_type = Int16(F_WRLCK)
        whole.l_whence = Int16(SEEK_SET)
        if fcntl(file, F_SETLK, &whole) != 0 {
            let code = errno
            if code != EACCES && code != EAGAIN { throw DatabaseFile.refusal(database, code) }
            throw taken(database, by: holder(file).map { " in process \($0)" } ?? "")
        }
        if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
        if errno != EWOULDBLOCK { throw DatabaseFile.refusal(database, errno) }
        // Whoever has it has lost the lock of its process; or is gone, and has left a forked child that inherited this one.
        // Where there was no room for the note, nobody knows which of the two.
        guard let holder = holder(file) else { throw taken(database, by: "") }
        if holder == nobody { return }
        if kill(holder, 0) == 0 || errno != ESRCH { throw taken(database, by: " in process \(holder)") }
    }

    private static func taken(_ database: String, by holder: String) -> StoreError {
        StoreError(
            .unavailable,
            "the lease database \(database) is open already\(holder); only one manager may have it, so stop that one first, or "
                + "give this one a file of its own"
        )
    }

    private static func holder(_ file: Int32) -> pid_t? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        // What follows the first line is of an earlier note.
        return pid_t(String(decoding: bytes.prefix(max(0, count)).prefix { $0 > 0x20 }, as: UTF8.self))
    }
}

// The system has a function of the same name.
#if canImport(Glibc)
    private typealias flock_t = Glibc.flock
#else
    private typealias flock_t = Darwin.flock
#endif

/// Which file it is, whatever its name.
private struct FileIdentity: Hashable {
    private let device: UInt64
    private let number: UInt64

    private init(_ facts: stat) {
        device = UInt64(facts.st_dev)
        number = UInt64(facts.st_ino)
    }

    /// The file at a path.
    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        self.init(facts)
    }

    /// An open file.
    init?(_ file: Int32) {
        var facts = stat()
        guard fstat(file, &facts) == 0 else { return nil }
        self.init(facts)
    }
}
