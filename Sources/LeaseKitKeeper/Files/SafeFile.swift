// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file that only the user of this process can open.
final class SafeFile: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        // A child that another thread has forked and that has not reached its exec holds a copy of the descriptor: closing
        // alone would leave the lock to it for that moment.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Opens a file to read it; nil when there is none.
    static func open(_ path: String) throws(SecretKeeperError) -> SafeFile? {
        try open(path, at: AT_FDCWD, flags: O_RDONLY, path: path)
    }

    /// Opens a file that is there; nil when there is none.
    ///
    /// - Parameter path: What to call it in errors.
    static func open(
        _ name: String,
        at folder: Int32,
        flags: Int32,
        path: String
    ) throws(SecretKeeperError) -> SafeFile? {
        // A pipe in its place would have the open wait for a writer: not with O_NONBLOCK.
        let all = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let descriptor = retrying { openat(folder, name, all, mode_t(0o600)) }
        if descriptor < 0 {
            switch errno {
            case ENOENT where flags & O_CREAT == 0: return nil
            case ELOOP:
                throw SecretKeeperError(
                    .notRegularFile,
                    "\(path) is a symbolic link, which somebody could turn elsewhere: name the file itself."
                )
            default: throw FileTrouble.error("open \(path)")
            }
        }
        let file = SafeFile(descriptor, path: path)
        try file.check()
        return file
    }

    private func check() throws(SecretKeeperError) {
        let status = try status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SecretKeeperError(.notRegularFile, "\(path) is not a file: name one, or move away what is there.")
        }
        guard status.st_uid == geteuid() else {
            throw SecretKeeperError(
                .permissionsTooOpen,
                "\(path) belongs to user \(status.st_uid), and this process runs as \(geteuid()): "
                    + "chown it, or run as its owner."
            )
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw SecretKeeperError(
                .permissionsTooOpen,
                "\(path) has mode 0\(mode), so others can get at it: chmod 600 \(path), and take what was in it for known."
            )
        }
    }

    private func status() throws(SecretKeeperError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileTrouble.error("look at \(path)") }
        return status
    }

    /// Everything in it, but not more than `limit` bytes.
    func read(limit: Int) throws(SecretKeeperError) -> [UInt8] {
        let size = min(limit, max(0, Int(try status().st_size)) + 1)
        var bytes = [UInt8](repeating: 0, count: size)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { bytes in
                Self.retrying {
                    #if canImport(Darwin)
                        Darwin.read(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
                    #elseif canImport(Musl)
                        Musl.read(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
                    #else
                        Glibc.read(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
                    #endif
                }
            }
            if got < 0 { throw FileTrouble.error("read \(path)") }
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Writes all the bytes.
    func write(_ bytes: [UInt8]) throws(SecretKeeperError) {
        var count = 0
        while count < bytes.count {
            let put = bytes.withUnsafeBytes { bytes in
                Self.retrying {
                    #if canImport(Darwin)
                        Darwin.write(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
                    #elseif canImport(Musl)
                        Musl.write(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
                    #else
                        Glibc.write(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
                    #endif
                }
            }
            if put < 0 { throw FileTrouble.error("write \(path)") }
            count += put
        }
    }

    /// Has the bytes on the disk when it returns.
    func sync() throws(SecretKeeperError) {
        // What the umask took away or a parent's ACL added has to be 0600 in the end.
        guard fchmod(descriptor, 0o600) == 0, Self.sync(descriptor) else { throw FileTrouble.error("write \(path)") }
    }

    /// Takes the file for this process alone, until it is closed; a process that dies closes it.
    func lock() throws(SecretKeeperError) {
        guard Self.retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
            guard errno == EWOULDBLOCK else { throw FileTrouble.error("lock \(path)") }
            throw SecretKeeperError(
                .locked,
                "Another process, or another keeper in this one, holds \(path): stop it, close it, or use another file."
            )
        }
    }

    /// Whether the file of this name is still this one.
    func isStill(_ name: String, at folder: Int32) throws(SecretKeeperError) -> Bool {
        let own = try status()
        var other = stat()
        guard fstatat(folder, name, &other, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
        return own.st_ino == other.st_ino && own.st_dev == other.st_dev
    }

    static func sync(_ descriptor: Int32) -> Bool {
        #if canImport(Darwin)
            // There, fsync leaves the bytes in the drive's own memory.
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
        #endif
        return retrying { fsync(descriptor) } == 0
    }

    /// Calls again what a signal interrupted.
    static func retrying<Number: SignedInteger>(_ call: () -> Number) -> Number {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }
}
