// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Every statement that runs often, prepared once a connection.
final class Statements {
    let findByID: Statement
    let findSetAside: Statement
    let findByRequest: Statement
    let insertLease: Statement
    let updateRecord: Statement
    let updateDue: Statement
    let updatePhase: Statement
    let updateAll: Statement
    let setAside: Statement
    let setOrder: Statement
    let deleteLease: Statement
    let insertName: Statement
    let deleteName: Statement
    let insertPlaced: Statement
    let deletePlaced: Statement
    let readGone: Statement
    let insertGone: Statement
    let deleteGone: Statement
    let due: Statement
    let nextDue: Statement
    let hasChildren: Statement
    let isNeeded: Statement
    let children: Statement
    let phasesOfChildren: Statement
    let inPlace: Statement
    let inPhase: Statement
    let ofOwner: Statement
    let ofOrder: Statement
    let ofMembership: Statement
    let addMembership: Statement
    let dropMembership: Statement

    let placeByID: Statement
    let placeByPath: Statement
    let placesAtPath: Statement
    let nextPlace: Statement
    let nextPlaceOfMount: Statement
    let insertPlace: Statement
    let updatePlace: Statement
    let deletePlace: Statement
    let ownerByID: Statement
    let ownerByName: Statement
    let insertOwner: Statement
    let updateOwner: Statement
    let deleteOwner: Statement
    let roleByID: Statement
    let roleByVersion: Statement
    let insertRole: Statement
    let updateRole: Statement
    let deleteRole: Statement
    let saveMount: Statement
    let updateMount: Statement
    let readLife: Statement
    let writeLife: Statement

    init(_ database: borrowing Connection) throws {
        let columns = "SELECT \(RawRow.columns) FROM lease"
        // Of the two, each leads to what is left of a removed lease as well: to no row.
        findByID = try database.prepare(
            "SELECT \(RawRow.columns) FROM lease_name CROSS JOIN lease ON sequence = lease_name.lease WHERE name = ?1"
        )
        findSetAside = try database.prepare("\(columns) WHERE sequence = ?1 AND phase = 6")
        findByRequest = try database.prepare("SELECT id FROM lease INDEXED BY lease_request WHERE request = ?1 LIMIT 1")
        insertLease = try database.prepare(
            """
            INSERT INTO lease (sequence, id, place, mount, role, owner, parent, needs_parent, request, first_order, phase,
                urgency, due, record)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """
        )
        updateRecord = try database.prepare("UPDATE lease SET record = ?2 WHERE sequence = ?1")
        updateDue = try database.prepare("UPDATE lease SET record = ?2, urgency = ?3, due = ?4 WHERE sequence = ?1")
        updatePhase = try database.prepare(
            "UPDATE lease SET record = ?2, urgency = ?3, due = ?4, phase = ?5 WHERE sequence = ?1"
        )
        updateAll = try database.prepare(
            """
            UPDATE lease SET record = ?2, urgency = ?3, due = ?4, phase = ?5, parent = ?6, needs_parent = ?7, first_order = ?8
            WHERE sequence = ?1
            """
        )
        setAside = try database.prepare("UPDATE lease SET phase = 6, due = NULL WHERE sequence = ?1")
        setOrder = try database.prepare("UPDATE lease SET first_order = ?2 WHERE sequence = ?1")
        deleteLease = try database.prepare("DELETE FROM lease WHERE sequence = ?1")
        // An id may have been given again since it was left behind.
        insertName = try database.prepare("INSERT OR REPLACE INTO lease_name (name, lease) VALUES (?1, ?2)")
        deleteName = try database.prepare("DELETE FROM lease_name WHERE name = ?1 AND lease = ?2")
        insertPlaced = try database.prepare("INSERT INTO placed (at, lease) VALUES (?1, ?2)")
        deletePlaced = try database.prepare("DELETE FROM placed WHERE at = ?1 AND lease = ?2")
        readGone = try database.prepare(
            "SELECT number, name, lease, at FROM gone WHERE number BETWEEN 1 AND \(Statement.largestCount) ORDER BY number"
        )
        insertGone = try database.prepare("INSERT INTO gone (number, name, lease, at) VALUES (?1, ?2, ?3, ?4)")
        deleteGone = try database.prepare("DELETE FROM gone WHERE number BETWEEN ?1 AND ?2")
        due = try database.prepare(
            "\(columns) INDEXED BY lease_due WHERE mount = ?1 AND urgency = ?2 AND due <= ?3 ORDER BY due LIMIT ?4"
        )
        nextDue = try database.prepare(
            "SELECT due FROM lease INDEXED BY lease_due WHERE mount = ?1 AND urgency = ?2 AND due IS NOT NULL ORDER BY due LIMIT 1"
        )
        hasChildren = try database.prepare("SELECT 1 FROM lease INDEXED BY lease_parent WHERE parent = ?1 LIMIT 1")
        isNeeded = try database.prepare(
            "SELECT 1 FROM lease INDEXED BY lease_needing WHERE parent = ?1 AND needs_parent IS NOT NULL LIMIT 1"
        )
        children = try database.prepare(
            "\(columns) INDEXED BY lease_parent WHERE parent = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
        )
        phasesOfChildren = try database.prepare(
            "SELECT phase, count(*) FROM lease INDEXED BY lease_parent WHERE parent = ?1 GROUP BY phase"
        )
        inPlace = try database.prepare(
            """
            SELECT \(RawRow.columns) FROM placed CROSS JOIN lease ON sequence = placed.lease
            WHERE at = ?1 AND placed.lease > ?2 AND placed.lease <= ?3 ORDER BY placed.lease LIMIT ?4
            """
        )
        inPhase = try database.prepare(
            "\(columns) INDEXED BY lease_phase WHERE phase = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
        )
        ofOwner = try database.prepare(
            "\(columns) INDEXED BY lease_owner WHERE owner = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
        )
        ofOrder = try database.prepare(
            "\(columns) INDEXED BY lease_order WHERE first_order = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
        )
        ofMembership = try database.prepare(
            """
            SELECT lease.\(RawRow.columns)
            FROM membership CROSS JOIN lease ON lease.sequence = membership.sequence
            WHERE orders = ?1 AND membership.sequence > ?2 ORDER BY membership.sequence LIMIT ?3
            """
        )
        addMembership = try database.prepare("INSERT OR IGNORE INTO membership (orders, sequence) VALUES (?1, ?2)")
        dropMembership = try database.prepare("DELETE FROM membership WHERE orders = ?1 AND sequence = ?2")

        let counts = "n0, n1, n2, n3, n4, n5, n6"
        let setCounts = "n0 = ?2, n1 = ?3, n2 = ?4, n3 = ?5, n4 = ?6, n5 = ?7, n6 = ?8"
        let place = "SELECT id, path, mount, \(counts) FROM place"
        placeByID = try database.prepare("\(place) WHERE id = ?1")
        placeByPath = try database.prepare("\(place) WHERE path = ?1 AND mount = ?2")
        placesAtPath = try database.prepare("\(place) WHERE path = ?1 ORDER BY mount")
        nextPlace = try database.prepare(
            "\(place) WHERE (path, mount) > (?1, ?2) AND path < ?3 ORDER BY path, mount LIMIT 1"
        )
        nextPlaceOfMount = try database.prepare(
            "\(place) INDEXED BY place_mount WHERE mount = ?1 AND path > ?2 AND path < ?3 ORDER BY path LIMIT 1"
        )
        insertPlace = try database.prepare("INSERT INTO place (path, mount) VALUES (?1, ?2) RETURNING id")
        updatePlace = try database.prepare("UPDATE place SET \(setCounts) WHERE id = ?1")
        deletePlace = try database.prepare("DELETE FROM place WHERE id = ?1")
        ownerByID = try database.prepare("SELECT id, name, \(counts) FROM owner WHERE id = ?1")
        ownerByName = try database.prepare("SELECT id, name, \(counts) FROM owner WHERE name = ?1")
        insertOwner = try database.prepare("INSERT INTO owner (name) VALUES (?1) RETURNING id")
        updateOwner = try database.prepare("UPDATE owner SET \(setCounts) WHERE id = ?1")
        deleteOwner = try database.prepare("DELETE FROM owner WHERE id = ?1")
        roleByID = try database.prepare("SELECT id, version, uses FROM role WHERE id = ?1")
        roleByVersion = try database.prepare("SELECT id, version, uses FROM role WHERE version = ?1")
        insertRole = try database.prepare("INSERT INTO role (version, uses) VALUES (?1, 0) RETURNING id")
        updateRole = try database.prepare("UPDATE role SET uses = ?2 WHERE id = ?1")
        deleteRole = try database.prepare("DELETE FROM role WHERE id = ?1")
        saveMount = try database.prepare(
            """
            INSERT INTO mount (id, \(counts), path, kind, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            ON CONFLICT (id) DO UPDATE SET \(setCounts), path = ?9, kind = ?10, fingerprint = ?11
            """
        )
        updateMount = try database.prepare("UPDATE mount SET \(setCounts) WHERE id = ?1")
        readLife = try database.prepare(
            """
            SELECT deployment, incarnation, epoch, mark, sequence, claim, mount, orders, completed, is_backup, doubt, observed,
                boot, continuous
            FROM life
            """
        )
        writeLife = try database.prepare(
            """
            UPDATE life SET incarnation = ?1, epoch = ?2, mark = ?3, sequence = ?4, claim = ?5, mount = ?6, orders = ?7,
                completed = ?8, is_backup = ?9, doubt = ?10, observed = ?11, boot = ?12, continuous = ?13
            """
        )
    }
}
