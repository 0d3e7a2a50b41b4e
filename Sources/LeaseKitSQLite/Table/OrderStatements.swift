// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The statements about orders, prepared once a connection.
final class OrderStatements {
    let find: Statement
    let unexpanded: Statement
    let closing: Statement
    let open: Statement
    let save: Statement
    let forget: Statement
    let pushFrontier: Statement
    let topFrontier: Statement
    let moveFrontier: Statement
    let popFrontier: Statement

    private static let columns =
        "number, id, kind, target, reason, actor, request, urgency, patience, placed, cutoff, "
        + "on_root, closing, unexpanded, open, completed, covered, revoked, gone, not_ours, ending, abandoned, stuck, walk_path, "
        + "walk_mount, walk_sequence"

    init(_ database: borrowing Connection) throws {
        let select = "SELECT \(Self.columns) FROM orders"
        find = try database.prepare("\(select) WHERE id = ?1")
        unexpanded = try database.prepare("\(select) INDEXED BY orders_unexpanded WHERE unexpanded = 1 ORDER BY number")
        closing = try database.prepare("\(select) INDEXED BY orders_closing WHERE closing = 1 ORDER BY number")
        open = try database.prepare(
            "\(select) INDEXED BY orders_open WHERE open = 1 AND unexpanded IS NULL ORDER BY number LIMIT ?1"
        )
        let values = (1...26).map { "?\($0)" }.joined(separator: ", ")
        save = try database.prepare("INSERT OR REPLACE INTO orders (\(Self.columns)) VALUES (\(values))")
        forget = try database.prepare(
            "DELETE FROM orders WHERE completed IS NOT NULL AND completed <= ?1 RETURNING id"
        )
        pushFrontier = try database.prepare("INSERT INTO frontier (orders, lease, after) VALUES (?1, ?2, 0)")
        topFrontier = try database.prepare(
            """
            SELECT number, lease, after FROM frontier INDEXED BY frontier_orders WHERE orders = ?1 ORDER BY number DESC LIMIT 1
            """
        )
        moveFrontier = try database.prepare("UPDATE frontier SET after = ?2 WHERE number = ?1")
        popFrontier = try database.prepare("DELETE FROM frontier WHERE number = ?1")
    }
}

extension OrderEntry {
    private enum Kind: Int64 { case lease, tree, prefix, mount }

    /// Reads the columns of ``OrderStatements``.
    convenience init(_ row: borrowing Statement) {
        let target = row.bytes(3)
        let selection: LeaseSelection
        switch Kind(rawValue: row.integer(2)) {
        case .lease: selection = .lease(row.leaseID(3) ?? LeaseID(high: 0, low: 0))
        case .tree, nil: selection = .tree(row.leaseID(3) ?? LeaseID(high: 0, low: 0))
        case .prefix: selection = .prefix(String(decoding: target, as: UTF8.self))
        case .mount:
            let text = String(decoding: target, as: UTF8.self)
            selection = .mount(MountID(rawValue: UInt32(text) ?? 0))
        }
        let reason = LeaseCause.Reason(row.text(4))
        var order = RevocationOrder(
            id: RevocationOrderID(rawValue: UInt64(bitPattern: row.integer(1))),
            selection: selection,
            cause: LeaseCause(reason, actor: row.optionalText(5), requestID: row.optionalText(6)),
            urgency: LeaseUrgency(rawValue: UInt8(truncatingIfNeeded: row.integer(7))) ?? .ordered,
            isClosing: !row.isNull(12),
            patience: .nanoseconds(row.integer(8)),
            placedAt: LeaseInstant(nanosecondsSinceEpoch: row.integer(9))
        )
        order.cutoff = UInt64(bitPattern: row.integer(10))
        order.progress.isExpanded = row.isNull(13)
        order.progress.covered = row.count(16)
        order.progress.revoked = row.count(17)
        order.progress.alreadyGone = row.count(18)
        order.progress.notOurs = row.count(19)
        order.progress.ending = row.count(20)
        order.progress.abandoned = row.count(21)
        order.progress.stuck = row.count(22)
        let walk = row.optionalText(23).map {
            WalkPosition(path: $0, mount: UInt32(truncatingIfNeeded: row.integer(24)), sequence: row.integer(25))
        }
        self.init(
            order,
            number: row.integer(0),
            isOnRoot: row.flag(11),
            walk: walk,
            completed: row.optionalInteger(15)
        )
    }

    func write(_ row: borrowing Statement) throws {
        let progress = order.progress
        row.bind(1, number)
        row.bind(2, order.id.rawValue)
        let kind: Kind
        switch order.selection {
        case .lease(let id):
            kind = .lease
            row.bind(4, id)
        case .tree(let id):
            kind = .tree
            row.bind(4, id)
        case .prefix(let prefix):
            kind = .prefix
            row.bind(4, Array(prefix.utf8))
        case .mount(let mount):
            kind = .mount
            row.bind(4, Array("\(mount.rawValue)".utf8))
        }
        row.bind(3, kind.rawValue)
        row.bind(5, order.cause.reason.rawValue)
        row.bind(6, optional: order.cause.actor)
        row.bind(7, optional: order.cause.requestID)
        row.bind(8, Int64(order.urgency.rawValue))
        row.bind(9, order.patience.saturatingNanoseconds)
        row.bind(10, order.placedAt.nanosecondsSinceEpoch)
        row.bind(11, order.cutoff)
        row.bind(12, isOnRoot)
        row.bind(13, optional: order.isClosing ? 1 : nil)
        row.bind(14, optional: progress.isExpanded ? nil : 1)
        row.bind(15, optional: isOpen ? 1 : nil)
        row.bind(16, optional: completed)
        let counts = [
            progress.covered, progress.revoked, progress.alreadyGone, progress.notOurs, progress.ending,
            progress.abandoned, progress.stuck,
        ]
        for (place, count) in counts.enumerated() { row.bind(Int32(17 + place), count) }
        row.bind(24, optional: walk?.path)
        row.bind(25, optional: walk.map { Int64($0.mount) })
        row.bind(26, optional: walk?.sequence)
        try row.run("write an order")
    }
}
