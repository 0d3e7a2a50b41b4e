// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file of a database: made for its owner alone, and known again by its place on the disk.
struct DatabaseFile: Hashable {
    let path: String
    private let device: UInt64
    private let number: UInt64

    /// Finds the file, or makes it, readable and writable by its owner alone.
    ///
    /// What is there already stays as it is, because it may be somebody else's. It is not opened either: closing a file that SQLite
    /// has open would drop SQLite's locks.
    static func prepare(_ path: String) throws -> DatabaseFile {
        try checkName(path)
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file >= 0 {
            close(file)
            syncDirectory(of: path)
        } else if errno != EEXIST {
            throw refusal(path, errno)
        }
        guard let found = look(path) else { throw refusal(path, errno) }
        switch found.mode & UInt32(S_IFMT) {
        case UInt32(S_IFREG): break
        case UInt32(S_IFDIR): throw refusal(path, EISDIR)
        default: throw StoreError(.refused, "the lease database \(path) is not a file; name one")
        }
        if access(path, R_OK | W_OK) != 0 { throw refusal(path, errno) }
        return found.file
    }

    /// Keeps everybody but its owner out of a file, and leaves alone what is so already, or not there.
    static func restrict(_ path: String) throws {
        guard let found = look(path), found.mode & 0o077 != 0, chmod(path, 0o600) != 0 else { return }
        if errno != EPERM { throw refusal(path, errno, "file") }
        throw StoreError(
            .refused,
            "the file \(path) belongs to another user, and others may open it; chown it to this process's user, or chmod 600 it"
        )
    }

    /// Whether the path still leads to this very file.
    var isInPlace: Bool { Self.look(path)?.file == self }

    /// Whether anything is at a path.
    static func exists(_ path: String) -> Bool { look(path) != nil }

    /// Whether a file is at a path, and not an empty one.
    static func hasContent(_ path: String) -> Bool { (look(path)?.size ?? 0) > 0 }

    private static func look(_ path: String) -> (file: DatabaseFile, mode: UInt32, size: Int)? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        let file = DatabaseFile(path: path, device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
        return (file, UInt32(facts.st_mode), Int(facts.st_size))
    }

    /// A path that stays good when the process goes to another directory, and that SQLite takes for nothing but a path.
    static func absolute(_ path: String) -> String {
        if path.isEmpty || path == inMemory || path.utf8.first == UInt8(ascii: "/") { return path }
        guard let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }

    /// Where the file itself lies, so that what belongs to it lies beside it by whichever link it was found.
    static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Refuses a path by which SQLite would open something else, or nothing.
    static func checkName(_ path: String, _ what: String = "lease database", adding suffix: Int = 0) throws {
        if path.isEmpty || path == inMemory {
            throw StoreError(
                .refused,
                "\"\(path)\" names no file; name one, or take InMemoryLeaseStore for a table in memory"
            )
        }
        if path.utf8.contains(0) { throw StoreError(.refused, "the path of the \(what) has a NUL in it; leave it out") }
        let limit = longestPath - suffix
        if path.utf8.count > limit {
            throw StoreError(
                .refused,
                "the path of the \(what) is too long: it has \(path.utf8.count) bytes, and SQLite takes \(limit); choose a shorter one"
            )
        }
    }

    private static let inMemory = ":memory:"
    /// SQLite's limit is 512 with the name of a journal.
    private static let longestPath = 504

    /// Makes sure that a new file's name survives a power cut.
    static func syncDirectory(of path: String) {
        let name = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = open(name.isEmpty ? "/" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    static func refusal(_ path: String, _ code: Int32, _ what: String = "lease database") -> StoreError {
        switch code {
        case ENOENT, ENOTDIR:
            StoreError(
                .unavailable,
                "the directory of the \(what) \(path) is not there; make it, or mount the disk that it lies on"
            )
        case EACCES, EPERM, EROFS:
            StoreError(
                .refused,
                "the \(what) \(path) is read-only; give this user the right to write it and its directory"
            )
        case ENOSPC, EDQUOT:
            StoreError(.refused, "the disk of the \(what) \(path) is full; free some space")
        case EISDIR:
            StoreError(.refused, "the \(what) \(path) is a directory; name a file")
        default:
            StoreError(.unavailable, "the \(what) \(path) cannot be opened: \(String(cString: strerror(code)))")
        }
    }
}
