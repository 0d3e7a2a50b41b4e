// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// The tables, and how an older database becomes one of today.
///
/// A lease is one row: the record as bytes (`LeaseRecord.encoded()`, without path and role, which are stored once each), and
/// beside it what the indexes need. Partial indexes keep what most leases lack from costing anything.
///
/// ```
/// lease_name ── lease ── place (path and mount, with its counts)    orders ── frontier (what is still to be expanded)
///     placed ─────┼───── role  (a role's version, while referenced)    └───── membership (orders beside a lease's first one)
///       gone      └───── owner (with its counts)                    mount ── mount_state        life (one row)      epoch
/// ```
enum Schema {
    /// The version that this build writes.
    static let version: Int64 = 2
    /// Marks a file as ours: "LsKt".
    static let applicationID: Int64 = 0x4C73_4B74

    static let counts =
        "n0 INTEGER NOT NULL DEFAULT 0, n1 INTEGER NOT NULL DEFAULT 0, n2 INTEGER NOT NULL DEFAULT 0, "
        + "n3 INTEGER NOT NULL DEFAULT 0, n4 INTEGER NOT NULL DEFAULT 0, n5 INTEGER NOT NULL DEFAULT 0, "
        + "n6 INTEGER NOT NULL DEFAULT 0"

    /// Every table of version 1.
    ///
    /// `phase` is the state, plus 8 while claimed, and NULL for an active lease that nobody has claimed. `due` is NULL for what
    /// is never due.
    static let version1 = """
        CREATE TABLE lease (
            sequence INTEGER PRIMARY KEY, id BLOB NOT NULL, place INTEGER NOT NULL, mount INTEGER NOT NULL,
            role INTEGER, owner INTEGER, parent BLOB, needs_parent INTEGER, request BLOB, first_order INTEGER,
            phase INTEGER, urgency INTEGER NOT NULL, due INTEGER, record BLOB NOT NULL
        );
        CREATE UNIQUE INDEX lease_id ON lease (id);
        CREATE INDEX lease_place ON lease (place);
        CREATE INDEX lease_due ON lease (mount, urgency, due) WHERE due IS NOT NULL;
        CREATE INDEX lease_phase ON lease (phase) WHERE phase IS NOT NULL;
        CREATE INDEX lease_parent ON lease (parent) WHERE parent IS NOT NULL;
        CREATE INDEX lease_needing ON lease (parent) WHERE needs_parent IS NOT NULL;
        CREATE INDEX lease_owner ON lease (owner) WHERE owner IS NOT NULL;
        CREATE INDEX lease_request ON lease (request) WHERE request IS NOT NULL;
        CREATE INDEX lease_order ON lease (first_order) WHERE first_order IS NOT NULL;
        CREATE TABLE place (id INTEGER PRIMARY KEY, path TEXT NOT NULL, mount INTEGER NOT NULL, \(counts));
        CREATE UNIQUE INDEX place_path ON place (path, mount);
        CREATE INDEX place_mount ON place (mount, path);
        CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, \(counts));
        CREATE TABLE role (id INTEGER PRIMARY KEY, version BLOB NOT NULL UNIQUE, uses INTEGER NOT NULL);
        CREATE TABLE mount (id INTEGER PRIMARY KEY, path TEXT UNIQUE, kind TEXT, fingerprint TEXT, \(counts));
        CREATE TABLE mount_state (
            mount INTEGER NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL, due INTEGER,
            PRIMARY KEY (mount, key)
        ) WITHOUT ROWID;
        CREATE TABLE orders (
            number INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, kind INTEGER NOT NULL, target BLOB NOT NULL,
            reason TEXT NOT NULL, actor TEXT, request TEXT, urgency INTEGER NOT NULL, patience INTEGER NOT NULL,
            placed INTEGER NOT NULL, cutoff INTEGER NOT NULL, on_root INTEGER NOT NULL, closing INTEGER, unexpanded INTEGER,
            open INTEGER, completed INTEGER, covered INTEGER NOT NULL, revoked INTEGER NOT NULL, gone INTEGER NOT NULL,
            not_ours INTEGER NOT NULL, ending INTEGER NOT NULL, abandoned INTEGER NOT NULL, stuck INTEGER NOT NULL,
            walk_path TEXT, walk_mount INTEGER, walk_sequence INTEGER
        );
        CREATE INDEX orders_closing ON orders (closing) WHERE closing IS NOT NULL;
        CREATE INDEX orders_unexpanded ON orders (unexpanded) WHERE unexpanded IS NOT NULL;
        CREATE INDEX orders_open ON orders (open) WHERE open IS NOT NULL;
        CREATE INDEX orders_completed ON orders (completed) WHERE completed IS NOT NULL;
        CREATE TABLE frontier (
            number INTEGER PRIMARY KEY, orders INTEGER NOT NULL, lease BLOB NOT NULL, after INTEGER NOT NULL
        );
        CREATE INDEX frontier_orders ON frontier (orders);
        CREATE TABLE membership (
            orders INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (orders, sequence)
        ) WITHOUT ROWID;
        CREATE TABLE epoch (epoch INTEGER PRIMARY KEY);
        CREATE TABLE life (
            id INTEGER PRIMARY KEY CHECK (id = 1), deployment TEXT NOT NULL, incarnation INTEGER NOT NULL,
            epoch INTEGER NOT NULL, mark INTEGER NOT NULL, sequence INTEGER NOT NULL, claim INTEGER NOT NULL,
            mount INTEGER NOT NULL, orders INTEGER NOT NULL, completed INTEGER NOT NULL, is_backup INTEGER NOT NULL,
            doubt TEXT, observed INTEGER, boot TEXT, continuous INTEGER
        );
        """

    /// Version 2 keeps the indexes by id and by path by hand, so that the entries of removed leases can be taken out of them later
    /// (see ``Leftovers``): `lease_name` and `placed` lead to a lease's sequence, or to none, and `gone` holds what is to be taken out.
    static let version2 = """
        CREATE TABLE lease_name (name BLOB PRIMARY KEY, lease INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO lease_name SELECT id, sequence FROM lease ORDER BY id;
        CREATE TABLE placed (at INTEGER NOT NULL, lease INTEGER NOT NULL, PRIMARY KEY (at, lease)) WITHOUT ROWID;
        INSERT INTO placed SELECT place, sequence FROM lease ORDER BY place, sequence;
        DROP INDEX lease_id;
        DROP INDEX lease_place;
        CREATE TABLE gone (number INTEGER PRIMARY KEY, name BLOB NOT NULL, lease INTEGER NOT NULL, at INTEGER NOT NULL);
        """

    /// The step from each version to the next one, in order: from an empty file to 1, from 1 to 2, and so on.
    static let steps = [version1, version2]

    /// Reads the version of a database, and refuses one that a later build or another program made.
    ///
    /// Such a file is left untouched: not even its log is folded in, so that whoever made it finds everything as it was.
    static func check(_ connection: borrowing Connection, file: String) throws -> Int64 {
        connection.keepLogOnClose(true)
        let found = try connection.number("PRAGMA user_version") ?? 0
        let owner = try connection.number("PRAGMA application_id") ?? 0
        let tables = try connection.number("SELECT count(*) FROM sqlite_schema") ?? 0
        if (tables > 0 || found > 0) && owner != applicationID {
            throw StoreError(.refused, "\(file) is another program's database; give the leases a file of their own")
        }
        if found < 0 || found == 0 && tables > 0 {
            throw StoreError(
                .refused,
                "the lease database \(file) is damaged: its head says that it has schema version \(found); restore a backup made by "
                    + "backup(to:)"
            )
        }
        if found > version {
            throw StoreError(
                .refused,
                "the lease database \(file) has schema version \(found), and this build knows up to \(version); update LeaseKit "
                    + "to the release that wrote it, which can read all earlier ones"
            )
        }
        connection.keepLogOnClose(false)
        return found
    }

    /// Brings a database of an earlier version up to date, in one transaction.
    static func migrate(_ connection: borrowing Connection, from found: Int64, deployment: () -> String) throws {
        if found == version { return }
        try connection.execute("BEGIN IMMEDIATE", "begin a migration")
        for step in steps[Int(found)...] { try connection.execute(step, "migrate") }
        if found == 0 { try LeaseTable.begin(connection, deployment: deployment()) }
        try connection.execute("PRAGMA application_id = \(applicationID)", "migrate")
        try connection.execute("PRAGMA user_version = \(version)", "migrate")
        try connection.execute("COMMIT", "commit a migration")
    }
}
