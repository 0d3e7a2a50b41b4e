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
    private let options: SQLiteLeaseStore.Options
    private let disk: String?
    private var lastSeen: (deployment: String, mark: Int64)?

    init(_ path: String, _ options: SQLiteLeaseStore.Options, disk: String?, deployment: () -> String) throws {
        file = try DatabaseFile.prepare(path)
        lock = try FileLock(path + "-lock", for: path)
        epochFile = try EpochFile(path + "-epoch", for: path)
        self.options = options
        self.disk = disk
        table = try connect(deployment)
    }

    /// The table, read anew from the disk if there was trouble before.
    ///
    /// `doubted`: the commit whose sync may have failed, by its count; those before it are known to be safe.
    func reconnected(doubting doubted: Int64 = .min) throws -> LeaseTable {
        if let table { return table }
        guard file.isInPlace else { throw Self.moved(file.path) }
        let table = try connect(doubting: doubted) { "" }
        if let lastSeen, lastSeen.deployment != table.life.deployment || lastSeen.mark > table.life.mark {
            throw Self.moved(file.path)
        }
        self.table = table
        return table
    }

    /// Lets the connection go, so that what is really on the disk is read next.
    ///
    /// The log stays as it is after trouble: what it holds decides whether a commit of unknown outcome was done.
    func disconnect(keepsLog: Bool = true) {
        table?.connection.keepLogOnClose(keepsLog)
        table = nil
    }

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

    private func connect(doubting doubted: Int64? = nil, _ deployment: () -> String) throws -> LeaseTable {
        do {
            let connection = try Connection(path: file.path, disk: disk)
            // Exclusive locking keeps the index of the log in memory: no shared-memory file, and fewer system calls.
            try connection.execute("PRAGMA locking_mode = EXCLUSIVE", "take the file")
            let version = try Schema.check(connection, file: file.path)
            // Until the log was written once more, nothing of it may get into the database: a disk might hold the one and not the
            // other.
            if doubted != nil { connection.keepLogOnClose(true) }
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
                PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864;
                """,
                "set up"
            )
            try Schema.migrate(connection, from: version, deployment: deployment)
            // Also where commits are not synced: whose table this is must never be forgotten.
            if version < Schema.version { try connection.checkpoint() }
            let table = try LeaseTable(connection, file: file.path)
            if let doubted, table.life.mark >= doubted { try table.connection.rewriteLog() }
            return table
        } catch let failure as SQLiteFailure {
            throw failure.storeError(file: file.path)
        }
    }
}
