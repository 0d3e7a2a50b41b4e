// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    /// How many complete orders are remembered.
    private static let rememberedOrders: Int64 = 4_096

    func orderEntry(_ id: RevocationOrderID) throws -> OrderEntry? {
        if let entry = orders[id] { return entry }
        orderSQL.find.bind(1, id.rawValue)
        return try OrderShelf.read(orderSQL.find).first.map { orders.keep($0) }
    }

    /// Notes that an order changed, and puts it away when it is complete.
    func note(_ entry: OrderEntry) {
        hasChanges = true
        if !entry.isOpen && entry.completed == nil {
            life.completed += 1
            entry.completed = life.completed
        }
        if !entry.isDirty {
            entry.isDirty = true
            orders.dirty.append(entry)
        }
    }

    /// Writes back what orders have counted.
    func flushOrders() throws {
        if orders.dirty.isEmpty { return }
        var hasCompleted = false
        for entry in orders.dirty {
            entry.isDirty = false
            hasCompleted = hasCompleted || entry.completed != nil
            try entry.write(orderSQL.save)
        }
        orders.dirty.removeAll(keepingCapacity: true)
        guard hasCompleted && life.completed > Self.rememberedOrders else { return }
        orderSQL.forget.bind(1, life.completed - Self.rememberedOrders)
        while try orderSQL.forget.next("forget orders") {
            orders.forget(RevocationOrderID(rawValue: UInt64(bitPattern: orderSQL.forget.integer(0))))
        }
    }

    /// Open orders: those not expanded first, then the oldest.
    func openOrders(limit: Int) throws -> [RevocationOrder] {
        var found = orders.unexpanded.prefix(max(0, limit)).map(\.order)
        if found.count < limit {
            try flushOrders()
            orderSQL.open.bind(1, limit - found.count)
            found += try OrderShelf.read(orderSQL.open).map(\.order)
        }
        return found
    }

    func reopen(_ id: RevocationOrderID) throws -> Bool {
        guard let entry = try orderEntry(id), entry.order.isClosing else { return false }
        entry.order.isClosing = false
        orders.reopened(entry)
        note(entry)
        return true
    }

    // MARK: - What is covered without saying so yet

    /// An order that is not expanded yet and covers a lease, by itself or by something above it.
    func unexpandedOrder(over record: LeaseRecord) throws -> RevocationOrderID? {
        if orders.unexpanded.isEmpty { return nil }
        if let order = try unexpandedOrder(on: record) { return order }
        var above = record.parent
        while let id = above, let ancestor = try row(id) {
            if let order = try unexpandedOrder(on: ancestor.record) { return order }
            above = ancestor.record.parent
        }
        return nil
    }

    private func unexpandedOrder(on record: LeaseRecord) throws -> RevocationOrderID? {
        for id in record.orders {
            if try orderEntry(id)?.order.progress.isExpanded == false { return id }
        }
        return orders.unexpanded.first { !$0.isOnRoot && $0.order.selects(record) }?.order.id
    }

    // MARK: - Placing

    func place(_ order: RevocationOrder, claimUntil: LeaseInstant?, _ context: StoreContext) throws -> OrderPlacement {
        if let known = try orderEntry(order.id) { return OrderPlacement(order: known.order) }
        let asked = order
        var order = order
        order.mount = nil
        order.cutoff = life.sequence
        order.progress = OrderProgress()
        guard let root = order.selection.root else { return OrderPlacement(order: add(order, isOnRoot: false).order) }
        guard var row = try row(root) else {
            order.progress.isExpanded = true
            return OrderPlacement(order: add(order, isOnRoot: false).order)
        }
        let hasChildren = try hasChildren(root)
        if let refusal = asked.refusal(root: row.record, hasChildren: hasChildren) {
            return OrderPlacement(order: order, refusal: refusal)
        }
        order.progress.isExpanded = !hasChildren
        order.progress.count(row.record.cover(by: order, hasChildren: hasChildren, context))
        var claim: ClaimedLease?
        if let claimUntil, !hasChildren, row.record.claim == nil, hand(&row.record, claimUntil, context) {
            claim = ClaimedLease(record: row.record, hasChildren: false)
        }
        try save(row)
        let entry = add(order, isOnRoot: !row.was.isHollow && !row.isDamaged)
        if hasChildren { try push(root, entry) }
        return OrderPlacement(order: order, claimed: claim)
    }

    private func add(_ order: RevocationOrder, isOnRoot: Bool) -> OrderEntry {
        life.orders += 1
        let entry = OrderEntry(order, number: life.orders, isOnRoot: isOnRoot)
        orders.add(entry)
        note(entry)
        return entry
    }

    func push(_ lease: LeaseID, _ entry: OrderEntry) throws {
        hasChanges = true
        orderSQL.pushFrontier.bind(1, entry.number)
        orderSQL.pushFrontier.bind(2, lease)
        try orderSQL.pushFrontier.run("write what is to be expanded")
    }
}
