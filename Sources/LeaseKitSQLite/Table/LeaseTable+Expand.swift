// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    /// Covers up to `limit` more leases of an order, each with everything below it.
    func expand(_ id: RevocationOrderID, limit: Int, _ context: StoreContext) throws -> RevocationOrder {
        guard let entry = try orderEntry(id) else {
            throw StoreError(.refused, "there is no revocation order \(id); it may be complete and forgotten")
        }
        if entry.order.progress.isExpanded { return entry.order }
        var budget = ExpansionBudget(limit)
        if try coverBelow(entry, &budget, context), try coverRange(entry, &budget, context) {
            entry.order.progress.isExpanded = true
            entry.walk = nil
            orders.expanded(entry)
        }
        note(entry)
        return entry.order
    }

    /// How much one call may still do.
    struct ExpansionBudget {
        var covers: Int
        var looks: Int
        var isSpent: Bool { covers <= 0 || looks <= 0 }
        /// How many rows to read at once.
        var page: Int { max(1, min(covers, looks, 256)) }

        init(_ limit: Int) {
            covers = max(1, limit)
            looks = covers.multipliedReportingOverflow(by: 10).overflow ? .max : covers * 10
        }
    }

    /// Covers what hangs on the leases of the order's frontier; false when the budget ran out before the end.
    private func coverBelow(_ entry: OrderEntry, _ budget: inout ExpansionBudget, _ context: StoreContext) throws
        -> Bool
    {
        while true {
            orderSQL.topFrontier.bind(1, entry.number)
            guard try orderSQL.topFrontier.next("read what is to be expanded") else { return true }
            let number = orderSQL.topFrontier.integer(0)
            let lease = orderSQL.topFrontier.leaseID(1) ?? LeaseID(high: 0, low: 0)
            let after = orderSQL.topFrontier.integer(2)
            orderSQL.topFrontier.reset()
            if budget.isSpent { return false }
            hasChanges = true
            let page = budget.page
            sql.children.bind(1, lease)
            sql.children.bind(2, after)
            sql.children.bind(3, page)
            let children = try rows(sql.children)
            if let last = children.last, children.count == page {
                orderSQL.moveFrontier.bind(1, number)
                orderSQL.moveFrontier.bind(2, last.sequence)
                try orderSQL.moveFrontier.run("write what is to be expanded")
            } else {
                orderSQL.popFrontier.bind(1, number)
                try orderSQL.popFrontier.run("write what is to be expanded")
            }
            for child in children { try cover(child, entry, &budget, context) }
        }
    }

    /// Covers the leases of a prefix or mount, each with everything below it; false when the budget ran out.
    private func coverRange(_ entry: OrderEntry, _ budget: inout ExpansionBudget, _ context: StoreContext) throws
        -> Bool
    {
        var prefix = ""
        var mount: MountID?
        switch entry.order.selection {
        case .lease, .tree: return true
        case .prefix(let text): prefix = text
        case .mount(let id): mount = id
        }
        let cutoff = Int64(clamping: entry.order.cutoff)
        return try walk(prefix, mount, from: entry.walk, upTo: cutoff, page: budget.page) { position, row in
            if budget.isSpent { return .stop }
            entry.walk = position
            budget.looks -= 1
            try cover(row, entry, &budget, context)
            let before = writes
            if try !coverBelow(entry, &budget, context) { return .stop }
            // A child may lie in the very page that is being read.
            return writes > before ? .readAgain : .goOn
        }
    }

    private func cover(
        _ row: Row,
        _ entry: OrderEntry,
        _ budget: inout ExpansionBudget,
        _ context: StoreContext
    ) throws {
        budget.looks -= 1
        var row = row
        let hasChildren = try hasChildren(row.record.id)
        let effect = row.record.cover(by: entry.order, hasChildren: hasChildren, context)
        if effect == .already { return }
        entry.order.progress.count(effect)
        if effect != .nothing {
            budget.covers -= 1
            try save(row)
        }
        if hasChildren { try push(row.record.id, entry) }
    }
}
