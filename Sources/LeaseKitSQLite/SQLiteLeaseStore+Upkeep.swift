// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension SQLiteLeaseStore {
    /// Copies the table to another file while it is in use, as it is at the end of the copying.
    ///
    /// The copy is marked: a manager that opens it is held off, because leases that were renewed since would look as if their time
    /// was over. `resume()` says that this copy is now the one. Nothing is at `path` until the copy is whole; a file that is there
    /// already is refused.
    ///
    /// - Throws: `StoreError`.
    public func backup(to path: String) async throws {
        let path = DatabaseFile.absolute(path)
        let backup = try await runner.run(isAlone: true) { try OnlineBackup(of: try $0.tableAlone(), to: path) }
        do {
            // Each turn is a job of its own, so that others are not kept waiting.
            while try await !runner.run(isAlone: true, { _ in try backup.copySome() }) {}
            try await runner.run(isAlone: true) { _ in try backup.finish() }
        } catch {
            try? await runner.run(isAlone: true) { _ in backup.discard() }
            throw error
        }
    }

    /// Reads the whole file and says what is wrong with it: nothing, if it is sound.
    ///
    /// Other calls wait meanwhile, a few seconds for a million leases.
    ///
    /// - Throws: `StoreError`.
    public func integrityCheck() async throws -> [String] {
        try await runner.run(isAlone: true) { engine in
            let table = try engine.tableAlone()
            let found = try table.connection.texts("PRAGMA integrity_check(100)")
            // What is damaged is not looked into any further.
            if found != ["ok"] { return found }
            // Two indexes are kept by hand.
            let missing = try [("id", "lease_name", "name = id"), ("path", "placed", "at = place")].compactMap {
                (what, index, condition) in
                let count = try table.connection.number(
                    "SELECT count(*) FROM lease WHERE NOT EXISTS (SELECT 1 FROM \(index) WHERE \(condition) AND lease = sequence)"
                )
                return count == 0 ? nil : "\(count ?? 0) leases cannot be found by their \(what)"
            }
            // And so is what is counted, by which quotas are kept.
            let miscounted = try [("mount", "mounts"), ("place", "paths"), ("owner", "owners")].compactMap {
                (kept, what) in
                let count = try table.connection.number(
                    """
                    SELECT count(*) FROM \(kept) LEFT JOIN
                        (SELECT \(kept) AS holder, count(*) AS held FROM lease WHERE \(kept) IS NOT NULL GROUP BY \(kept)) ON holder = id
                    WHERE n0 + n1 + n2 + n3 + n4 + n5 + n6 <> coalesce(held, 0)
                    """
                )
                return count == 0 ? nil : "the leases of \(count ?? 0) \(what) are counted wrongly"
            }
            return missing + miscounted
        }
    }

    /// Rewrites the file without the room that removed leases have left.
    ///
    /// Other calls wait meanwhile. The disk must hold the file twice, and the directory for temporary files once (`SQLITE_TMPDIR`,
    /// `TMPDIR`, or `/var/tmp`).
    ///
    /// - Throws: `StoreError`.
    public func vacuum() async throws {
        try await runner.run(isAlone: true) { engine in
            try engine.transaction { try engine.table().takeOutLeftovers(all: true) }
            let table = try engine.table()
            try engine.session?.secureLog(of: table)
            // In a file, or all of the table would lie in memory meanwhile.
            try table.connection.execute("PRAGMA temp_store = FILE", "vacuum")
            defer { try? table.connection.execute("PRAGMA temp_store = MEMORY", "vacuum") }
            try table.connection.execute("VACUUM", "vacuum")
            _ = try table.connection.texts("PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }
}
