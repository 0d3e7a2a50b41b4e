// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// A database that is open: its file, the lock on it, the witness beside it, and the table.
final class Session {
    let file: DatabaseFile
    let lock: FileLock
    let epochFile: EpochFile
    /// Nil after trouble with the disk: the next call opens the file again.
    private(set) var table: LeaseTable?
    /// Whether all of the log is on the disk for sure.
    ///
    /// Not at the beginning: its last writer may have died after a sync that failed.
    private var isLogSafe = false
    /// The first commit of which nobody knows whether the log holds it, by its count.
    private var doubted = Int64.max
    private let options: SQLiteLeaseStore.Options
    private let disk: String?
    private var lastSeen: (deployment: String, mark: Int64)?

    init(_ path: String, _ options: SQLiteLeaseStore.Options, disk: String?, deployment: () -> String) throws {
        let path = DatabaseFile.resolved(path)
        // On a disk that stands in the place of the system's, the file has nothing but a name.
        try EpochFile.check(path + "-epoch", for: path, hasContent: disk == nil)
        file = try DatabaseFile.prepare(path)
        lock = try FileLock(path + "-lock", for: path)
        epochFile = try EpochFile(path + "-epoch")
        self.options = options
        self.disk = disk
        table = try connect(deployment)
    }

    /// The table, read anew from the disk if there was trouble before.
    func reconnected() throws -> LeaseTable {
        if let table { return table }
        guard file.isInPlace else { throw Self.moved(file.path) }
        let table = try connect { "" }
        if let lastSeen, lastSeen.deployment != table.life.deployment || lastSeen.mark > table.life.mark {
            throw Self.moved(file.path)
        }
        // Of what the log holds, all others were promised before.
        if table.life.mark >= doubted { try secureLog(of: table) }
        doubted = .max
        self.table = table
        return table
    }

    /// Sees to it that nothing is promised that stands on a part of the log that no disk holds.
    func secureLog(of table: LeaseTable) throws {
        if isLogSafe { return }
        do { try table.connection.rewriteLog() } catch { throw error.storeError(file: file.path) }
        isLogSafe = true
        table.connection.keepLogOnClose(false)
    }

    /// Lets the connection go, so that what is really on the disk is read next.
    ///
    /// The log stays as it is: what it holds decides whether the commit of a count was done, and the later ones.
    func disconnect(doubting mark: Int64 = .max) {
        table?.connection.keepLogOnClose(true)
        table = nil
        isLogSafe = false
        doubted = min(doubted, mark)
    }

    /// Closes the file, after its log went into the database, unless that is not safe.
    func close() { table = nil }

    /// After a commit: tells the witness.
    func committed(_ life: Life) {
        epochFile.write(deployment: life.deployment, epoch: life.epoch, mark: life.mark)
        // Once, so that a power cut finds a whole file; what it forgets after that is no harm.
        if lastSeen == nil { epochFile.sync() }
        lastSeen = (life.deployment, life.mark)
    }

    static func moved(_ path: String) -> StoreError {
        StoreError(
            .unavailable,
            "the lease database \(path) was moved, removed or replaced while it was open; put it back, or stop this manager and "
                + "start a new one"
        )
    }

    private static func strangeLog(_ path: String) -> StoreError {
        StoreError(
            .refused,
            "the lease database \(path) is a copy without a log, as backup(to:) makes them, and the log beside it belongs to the table "
                + "that was there before; remove \(path)-wal, or put that table back"
        )
    }

    /// Refuses to begin a table in an empty file that ought to hold one.
    private func checkIsNew() throws {
        if lastSeen != nil { throw Self.moved(file.path) }
        if case .saw = epochFile.witness { throw EpochFile.missing(file.path) }
    }

    private func connect(_ deployment: () -> String) throws -> LeaseTable {
        do {
            let connection = try Connection(path: file.path, disk: disk)
            if try connection.hasStrangeLog() { throw Self.strangeLog(file.path) }
            // Exclusive locking keeps the index of the log in memory: no shared-memory file, and fewer system calls.
            try connection.execute("PRAGMA locking_mode = EXCLUSIVE", "take the file")
            let version = try Schema.check(connection, file: file.path)
            if version == 0 { try checkIsNew() }
            // Not before: another program's database stays as it is, and so does what a later build wrote.
            for name in ["", "-wal", "-epoch", "-lock"] { try DatabaseFile.restrict(file.path + name) }
            // Until the log was written once more, nothing of it may get into the database: a disk might hold the one and not the
            // other.
            connection.keepLogOnClose(true)
            guard try connection.texts("PRAGMA journal_mode = WAL") == ["wal"] else {
                throw StoreError(
                    .refused,
                    "\(file.path) lies on a file system that cannot hold a write-ahead log; use a local disk"
                )
            }
            try connection.execute(
                """
                PRAGMA synchronous = \(options.durability == .full ? "FULL" : "NORMAL");
                PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1;
                PRAGMA cache_size = -\(options.cacheKibibytes); PRAGMA temp_store = MEMORY;
                PRAGMA wal_autocheckpoint = \(LogCycle.large); PRAGMA journal_size_limit = 67108864;
                """,
                "set up"
            )
            try Schema.migrate(connection, from: version, deployment: deployment)
            if version < Schema.version {
                // Also where commits are not synced: whose table this is must never be forgotten.
                try connection.rewriteLog()
                try connection.checkpoint()
            }
            return try LeaseTable(connection, file: file.path, options.leftovers)
        } catch let failure as SQLiteFailure {
            throw failure.storeError(file: file.path)
        }
    }
}
