// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    // MARK: - Reading

    func row(_ id: LeaseID) throws -> Row? {
        if let known = desk[id] { return known }
        sql.findByID.bind(1, id)
        guard try sql.findByID.next("find a lease") else { return try setAside(shownAs: id) }
        let raw = RawRow(sql.findByID)
        sql.findByID.reset()
        return try row(raw)
    }

    /// A row that was set aside and whose own id is lost.
    private func setAside(shownAs id: LeaseID) throws -> Row? {
        if id.high != 0 { return nil }
        sql.findSetAside.bind(1, id.low)
        return try rows(sql.findSetAside).first { $0.record.id == id }
    }

    /// What a row that cannot be read is called: by its id, if that leads back to it, or else by its number, so that it can be dropped.
    private func name(of raw: RawRow) throws -> LeaseID {
        let statement = try connection.prepare("SELECT 1 FROM lease_name WHERE name = ?1 AND lease = ?2")
        statement.bind(2, raw.sequence)
        if let id = raw.id {
            statement.bind(1, id)
            if try statement.next("find a lease") { return id }
        }
        return LeaseID(high: 0, low: UInt64(bitPattern: raw.sequence))
    }

    /// Reads the rows of a statement to its end, and only then makes leases of them.
    func rows(_ statement: borrowing Statement) throws -> [Row] {
        var raw: [RawRow] = []
        while try statement.next("read leases") { raw.append(RawRow(statement)) }
        return try raw.map { try row($0) }
    }

    private func row(_ raw: RawRow) throws -> Row {
        guard let place = try place(raw.place) else {
            let nowhere = Place(id: raw.place, path: Self.lostPath, mount: raw.mount, tally: Tally())
            return try damaged(raw, nowhere, .malformed("its path is lost"))
        }
        let problem: LeaseRecordError
        do {
            var record = try LeaseRecord(encoded: raw.record)
            if record.id == raw.id && record.sequence == UInt64(bitPattern: raw.sequence) && record.mount == place.mount
            {
                record.path = place.path
                let role = try raw.role.flatMap { id in try self.role(id) }
                if let role { record.role = role.version }
                let shape = Row.Shape(record)
                if shape.phase == raw.phase && (role == nil) == (raw.role == nil) {
                    return Row(
                        sequence: raw.sequence,
                        place: place,
                        role: raw.role,
                        owner: raw.owner,
                        record: record,
                        isDamaged: false,
                        was: shape
                    )
                }
            }
            problem = .malformed("it does not fit the rest of its row")
        } catch let error as LeaseRecordError {
            problem = error
        }
        return try damaged(raw, place, problem)
    }

    /// Where a lease is shown to lie whose path is not there any more.
    private static let lostPath = "unknown"

    /// What is shown in the place of a row that cannot be read, which is set aside and left as it is.
    private func damaged(_ raw: RawRow, _ place: Place, _ problem: LeaseRecordError) throws -> Row {
        var record = LeaseRecord.unreadable(
            id: try name(of: raw),
            path: place.path,
            mount: place.mount,
            sequence: UInt64(bitPattern: raw.sequence),
            LeaseFailure(code: problem.code, message: problem.description)
        )
        record.parent = raw.parent
        record.order = raw.order.map { RevocationOrderID(rawValue: UInt64(bitPattern: $0)) }
        let row = Row(
            sequence: raw.sequence,
            place: place,
            role: raw.role,
            owner: raw.owner,
            record: record,
            isDamaged: true,
            was: Row.Shape(record)
        )
        let before = Row.Shape.state(of: raw.phase)
        if raw.phase == Int64(LeaseState.quarantined.rawValue) { return row }
        hasChanges = true
        sql.setAside.bind(1, raw.sequence)
        try sql.setAside.run("set a lease aside")
        try count(place, raw.owner, from: before, to: .quarantined)
        desk[record.id] = nil
        claims.forget(record.id)
        if before != .stuck && before != .ending {
            for id in record.orders { try orderEntry(id).map { noteStuck($0) } }
        }
        setAside.append(record)
        return row
    }

    private func noteStuck(_ entry: OrderEntry) {
        if entry.order.progress.isComplete { return }
        entry.order.progress.stuck += 1
        note(entry)
    }

    // MARK: - Writing

    /// Writes a new lease down.
    func insert(_ record: LeaseRecord) throws {
        guard let place = try place(at: record.path, of: record.mount, make: true) else { return }
        let role = try role(for: record.role)
        let owner = try record.owner.flatMap { name in try self.owner(named: name, make: true) }
        let shape = Row.Shape(record)
        sql.insertLease.bind(1, record.sequence)
        sql.insertLease.bind(2, record.id)
        sql.insertLease.bind(3, place.id)
        sql.insertLease.bind(4, record.mount.rawValue)
        sql.insertLease.bind(5, optional: role?.id)
        sql.insertLease.bind(6, optional: owner?.id)
        sql.insertLease.bind(7, optional: shape.parent)
        sql.insertLease.bind(8, optional: shape.needsParent ? 1 : nil)
        if let request = record.requestID {
            sql.insertLease.bind(9, Array(request.utf8))
        } else {
            sql.insertLease.bindNull(9)
        }
        sql.insertLease.bind(10, optional: shape.order.map { Int64(bitPattern: $0) })
        sql.insertLease.bind(11, optional: shape.phase)
        sql.insertLease.bind(12, shape.urgency)
        sql.insertLease.bind(13, optional: shape.due)
        wrote()
        try sql.insertLease.run("write a lease", Self.bytes(record), at: 14)
        sql.insertName.bind(1, record.id)
        sql.insertName.bind(2, record.sequence)
        try sql.insertName.run("write an id")
        sql.insertPlaced.bind(1, place.id)
        sql.insertPlaced.bind(2, record.sequence)
        try sql.insertPlaced.run("write a lease at its path")
        if let role { use(role, 1) }
        if shape.parent != nil { hasTree = true }
        try count(place, owner?.id, from: nil, to: shape.state)
        keepOnDesk(
            Row(
                sequence: Int64(bitPattern: record.sequence),
                place: place,
                role: role?.id,
                owner: owner?.id,
                record: record,
                isDamaged: false,
                was: shape
            )
        )
    }

    /// Writes a lease back whose record changed: only the columns that have to.
    func save(_ row: Row) throws {
        if row.isDamaged { return try noteOrder(row) }
        let (was, shape) = (row.was, Row.Shape(row.record))
        let bytes = Self.bytes(row.record)
        wrote()
        if shape.parent != was.parent || shape.needsParent != was.needsParent || shape.order != was.order {
            try write(row, bytes, shape, sql.updateAll, columns: 8)
        } else if shape.phase != was.phase {
            try write(row, bytes, shape, sql.updatePhase, columns: 5)
        } else if shape.due != was.due || shape.urgency != was.urgency {
            try write(row, bytes, shape, sql.updateDue, columns: 4)
        } else {
            try write(row, bytes, shape, sql.updateRecord, columns: 2)
        }
        if shape.orderCount > max(1, was.orderCount) {
            for order in row.record.orders.dropFirst() { try run(sql.addMembership, order, row) }
        }
        try count(row.place, row.owner, from: was.state, to: shape.state)
        claims.note(row.record)
        var row = row
        row.was = shape
        keepOnDesk(row)
    }

    /// Large rows are read again when they are asked for: the desk is counted in rows and has to stay small.
    private func keepOnDesk(_ row: Row) {
        desk[row.record.id] = row.record.handle.count <= Self.smallHandle ? row : nil
    }

    private static let smallHandle = 1_024

    private func write(
        _ row: Row,
        _ bytes: [UInt8],
        _ shape: Row.Shape,
        _ statement: borrowing Statement,
        columns: Int
    ) throws {
        statement.bind(1, row.sequence)
        if columns >= 4 {
            statement.bind(3, shape.urgency)
            statement.bind(4, optional: shape.due)
        }
        if columns >= 5 { statement.bind(5, optional: shape.phase) }
        if columns >= 8 {
            statement.bind(6, optional: shape.parent)
            statement.bind(7, optional: shape.needsParent ? 1 : nil)
            statement.bind(8, optional: shape.order.map { Int64(bitPattern: $0) })
        }
        try statement.run("write a lease", bytes, at: 2)
    }

    /// Takes a row out.
    func delete(_ row: Row) throws {
        wrote()
        desk[row.record.id] = nil
        claims.forget(row.record.id)
        sql.deleteLease.bind(1, row.sequence)
        try sql.deleteLease.run("remove a lease")
        try leave(row)
        if row.was.orderCount > 1 || row.record.orders.count > 1 {
            for order in row.record.orders.dropFirst() { try run(sql.dropMembership, order, row) }
        }
        if let id = row.role, let role = try role(id) { use(role, -1) }
        try count(row.place, row.owner, from: row.was.state, to: nil)
    }

    /// The bytes of a row that cannot be read stay; that an order covers it is noted beside them.
    private func noteOrder(_ row: Row) throws {
        guard row.was.order == nil, let order = row.record.order else { return }
        wrote()
        sql.setOrder.bind(1, row.sequence)
        sql.setOrder.bind(2, order.rawValue)
        try sql.setOrder.run("write what an order covers")
    }

    private func run(_ statement: borrowing Statement, _ order: RevocationOrderID, _ row: Row) throws {
        statement.bind(1, order.rawValue)
        statement.bind(2, row.sequence)
        try statement.run("write what an order covers")
    }

    private func wrote() {
        writes &+= 1
        hasChanges = true
    }

    /// The bytes that a row holds: path and role are stored once each, elsewhere.
    private static func bytes(_ record: LeaseRecord) -> [UInt8] {
        var record = record
        record.path = ""
        record.role = []
        return record.encoded()
    }

    // MARK: - The tree

    func hasChildren(_ id: LeaseID) throws -> Bool {
        guard hasTree else { return false }
        sql.hasChildren.bind(1, id)
        defer { sql.hasChildren.reset() }
        return try sql.hasChildren.next("look for children")
    }

    /// Whether a child needs this lease to be ended.
    func isNeeded(_ id: LeaseID) throws -> Bool {
        guard hasTree else { return false }
        sql.isNeeded.bind(1, id)
        defer { sql.isNeeded.reset() }
        return try sql.isNeeded.next("look for children")
    }
}
