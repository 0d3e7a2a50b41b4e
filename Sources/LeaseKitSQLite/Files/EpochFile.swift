// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small file beside the database that remembers how far it had come: the witness against older copies.
///
/// It is written after every commit, in place and within one block of the disk, and synced after the first commit of each
/// opening only: that costs about a microsecond. After a power cut it tells of an earlier commit than the database, never of a
/// later one. A database that has seen fewer commits than the file beside it was put back from somewhere.
struct EpochFile: ~Copyable {
    private let file: Int32
    /// What it said when it was opened.
    let witness: Witness

    /// What the file says.
    enum Witness: Hashable {
        /// There is no such file, or it is empty.
        case none
        /// It cannot be read.
        case unreadable
        /// It was written by this deployment after so many commits.
        case saw(deployment: String, mark: Int64)
    }

    private static let length = 128

    init(_ path: String) throws {
        let isNew = !DatabaseFile.exists(path)
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DatabaseFile.refusal(path, errno, "file") }
        if isNew { DatabaseFile.syncDirectory(of: path) }
        self.file = file
        witness = Self.read(file)
    }

    deinit { close(file) }

    /// Notes a commit.
    borrowing func write(deployment: String, epoch: UInt64, mark: Int64) {
        var line = "leasekit 1 \(deployment) \(mark) \(epoch)"
        line += " \(Self.checksum(line))"
        var bytes = Array(line.utf8)
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: max(0, Self.length - 1 - bytes.count))
        bytes.append(UInt8(ascii: "\n"))
        // A note that could not be written tells of an earlier commit, which is never wrong.
        _ = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    }

    /// Makes sure that a power cut leaves a file that can be read.
    borrowing func sync() { fsync(file) }

    private static func read(_ file: Int32) -> Witness {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        return count <= 0 ? .none : read(bytes.prefix(count))
    }

    private static func read(_ bytes: ArraySlice<UInt8>) -> Witness {
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
        guard words.count == 6, words[0] == "leasekit", words[1] == "1", let mark = Int64(words[3]),
            words[5] == checksum(words[0..<5].joined(separator: " "))
        else { return .unreadable }
        return .saw(deployment: words[2], mark: mark)
    }

    private static func checksum(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }

    /// Why a database looks like an old copy beside this file; nil when it does not.
    borrowing func doubt(about life: Life) -> String? {
        // A table that never held a lease has nothing that could be cut short.
        if life.sequence == 0 { return nil }
        switch witness {
        case .none:
            return "the epoch file beside the database is missing, so it may be a copy from elsewhere"
        case .unreadable:
            return "the epoch file beside the database cannot be read, so nothing vouches for the database"
        case .saw(let deployment, _) where deployment != life.deployment:
            return "the epoch file beside the database belongs to another deployment"
        case .saw(_, let mark) where mark > life.mark:
            return
                "the database has seen \(life.mark) commits and the epoch file beside it \(mark), so it is an older copy"
        case .saw:
            return nil
        }
    }
}

// MARK: - A database that is gone

extension EpochFile {
    /// Refuses to begin a new table where the file beside it tells of an old one.
    ///
    /// A table that began anew in silence would know nothing of the leases of the old one, and nobody would end them. No power cut
    /// leads here: the file is written after the first commit that a manager makes, and by then the database itself is synced.
    /// Nothing is made or opened: what is left of the database, its log perhaps, stays for whoever puts it back.
    static func check(_ path: String, for database: String, hasContent: Bool) throws {
        // In this order, because a new database is there before its epoch file says so.
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        guard case .saw = read(file) else { return }
        let isThere = hasContent ? DatabaseFile.hasContent(database) : DatabaseFile.exists(database)
        if !isThere { throw missing(database) }
    }

    static func missing(_ database: String) -> StoreError {
        StoreError(
            .refused,
            "the lease database \(database) is missing or empty, and \(database)-epoch beside it says that there was one; put the "
                + "database back with its -wal file, or restore a backup made by backup(to:). To begin anew, and never end what "
                + "the old one knew of, remove \(database)-epoch first"
        )
    }
}
