// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    // MARK: - What is covered without saying so yet

    /// An order that is not expanded yet and covers a row, by itself or by something above it.
    @inline(__always)
    func unexpandedOrder(over row: UnsafeMutablePointer<MemoryRow>) -> RevocationOrderID? {
        orders.unexpandedCount == 0 ? nil : searchUnexpanded(over: row)
    }

    private func searchUnexpanded(over row: UnsafeMutablePointer<MemoryRow>) -> RevocationOrderID? {
        if let order = unexpandedOrder(on: row.pointee.record) { return order }
        for ancestor in tree.ancestors(of: row.pointee.record.id) {
            guard let slot = slot(of: ancestor) else { continue }
            if let order = unexpandedOrder(on: rows.pointer(slot).pointee.record) { return order }
        }
        return nil
    }

    private func unexpandedOrder(on record: LeaseRecord) -> RevocationOrderID? {
        if record.orderBits != 0 {
            let own = record.orders.first { orders.find($0)?.order.progress.isExpanded == false }
            if let own { return own }
        }
        return orders.unexpandedSelections.first { $0.order.selects(record) }?.order.id
    }

    // MARK: - Placing

    func place(_ order: RevocationOrder, claimUntil: LeaseInstant?, _ context: StoreContext) -> OrderPlacement {
        if let known = orders.find(order.id) { return OrderPlacement(order: known.order) }
        let asked = order
        var order = order
        order.mount = nil
        order.cutoff = lastSequence
        order.progress = OrderProgress()
        guard let root = order.selection.root else { return OrderPlacement(order: orders.add(order).order) }
        guard let slot = slot(of: root) else {
            order.progress.isExpanded = true
            return OrderPlacement(order: orders.add(order).order)
        }
        putInOrder()
        let hasChildren = tree.hasChildren(root)
        let row = rows.pointer(slot)
        if let refusal = asked.refusal(root: row.pointee.record, hasChildren: hasChildren) {
            return OrderPlacement(order: order, refusal: refusal)
        }
        order.progress.isExpanded = !hasChildren
        let before = Before(row)
        order.progress.count(row.pointee.record.cover(by: order, hasChildren: hasChildren, context))
        var claim: ClaimedLease?
        if let claimUntil, !hasChildren, row.pointee.record.claim == nil, hand(row, claimUntil, context) {
            claim = ClaimedLease(record: row.pointee.record, hasChildren: false)
            keepInHand(slot, before)
        } else {
            reindex(slot, before)
        }
        let entry = orders.add(order, isOnRoot: !before.isHollow)
        if hasChildren { entry.stack = [(root, .start)] }
        return OrderPlacement(order: order, claimed: claim)
    }

    // MARK: - Expanding

    func expand(_ id: RevocationOrderID, limit: Int, _ context: StoreContext) throws(StoreError) -> RevocationOrder {
        guard let entry = orders.find(id) else {
            throw StoreError(.refused, "there is no revocation order \(id); it may be complete and forgotten")
        }
        if entry.order.progress.isExpanded { return entry.order }
        var budget = ExpansionBudget(limit)
        if coverBelow(entry, &budget, context) && coverRange(entry, &budget, context) { orders.expanded(entry) }
        return entry.order
    }

    /// How much one call may still do.
    private struct ExpansionBudget {
        var covers: Int
        var looks: Int
        var isSpent: Bool { covers <= 0 || looks <= 0 }

        init(_ limit: Int) {
            covers = max(1, limit)
            looks = covers.multipliedReportingOverflow(by: 10).overflow ? .max : covers * 10
        }
    }

    /// Covers what hangs on the leases on the stack; false when the budget ran out before the end.
    private func coverBelow(_ entry: OrderEntry, _ budget: inout ExpansionBudget, _ context: StoreContext) -> Bool {
        while let top = entry.stack.last {
            if budget.isSpent { return false }
            guard let (child, position) = tree.child(of: top.lease, after: top.position) else {
                entry.stack.removeLast()
                continue
            }
            entry.stack[entry.stack.count - 1].position = position
            if let slot = slot(of: child) { cover(slot, entry, &budget, context) }
        }
        return true
    }

    /// Covers the leases of a prefix or mount, each with everything below it; false when the budget ran out.
    private func coverRange(_ entry: OrderEntry, _ budget: inout ExpansionBudget, _ context: StoreContext) -> Bool {
        let prefix: String
        var mount: MountID?
        switch entry.order.selection {
        case .lease, .tree: return true
        case .prefix(let text): prefix = text
        case .mount(let id):
            guard let served = mounts[id] else { return true }
            prefix = served.strayPaths == 0 ? served.registration?.path ?? "" : ""
            mount = id
        }
        let start = entry.cursor ?? (prefix, 0)
        return walk(prefix, mount, from: start, upTo: entry.order.cutoff) { path, sequence, slot in
            if budget.isSpent { return false }
            entry.cursor = (path, sequence)
            budget.looks -= 1
            guard let slot else { return true }
            cover(slot, entry, &budget, context)
            return coverBelow(entry, &budget, context)
        }
    }

    private func cover(
        _ slot: UInt32,
        _ entry: OrderEntry,
        _ budget: inout ExpansionBudget,
        _ context: StoreContext
    ) {
        budget.looks -= 1
        let row = rows.pointer(slot)
        let hasChildren = tree.hasChildren(row.pointee.record.id)
        let before = Before(row)
        let effect = row.pointee.record.cover(by: entry.order, hasChildren: hasChildren, context)
        if effect == .already { return }
        entry.order.progress.count(effect)
        if effect != .nothing { budget.covers -= 1 }
        reindex(slot, before)
        if hasChildren { entry.stack.append((row.pointee.record.id, .start)) }
    }
}
