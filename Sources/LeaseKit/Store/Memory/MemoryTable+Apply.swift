// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    func apply(_ change: LeaseChange, _ context: StoreContext) -> LeaseChangeOutcome {
        switch change {
        case .insert(let insertion): insert(insertion, context)
        case .update(let id, let update): apply(update, to: id, context)
        }
    }

    // MARK: - Inserting

    func insert(_ insertion: LeaseInsertion, _ context: StoreContext) -> LeaseChangeOutcome {
        putInOrder()
        var facts = InsertionFacts(now: context.now)
        if slot(of: insertion.id) != nil { facts.holderOfID = insertion.id }
        if let request = insertion.fields.requestID { facts.holderOfRequest = holder(of: request) }
        if !orders.closing.isEmpty {
            facts.closedBy =
                orders.closing.first { $0.order.keepsOut(path: insertion.path, mount: insertion.mount) }?.order.id
        }
        if let parent = insertion.parent { facts.parent = parentFacts(parent, context) }
        if insertion.quotas != .unlimited { facts.usage = usage(around: insertion) }
        if let refusal = insertion.refusal(facts) { return .refused(refusal) }
        lastSequence += 1
        let slot = link(insertion.record(sequence: lastSequence, context))
        if let parent = insertion.parent { _ = tree.insert(insertion.id, under: parent) }
        return .applied(rows.pointer(slot).pointee.record)
    }

    private func holder(of request: String) -> LeaseID? {
        requests.find(request.byteHash) { slot in
            rows.pointer(slot).pointee.record.requestID?.hasSameBytes(as: request) ?? false
        }.map { rows.pointer($0).pointee.record.id }
    }

    private func usage(around insertion: LeaseInsertion) -> LeaseQuotas.Usage {
        LeaseQuotas.Usage(
            mount: mounts[insertion.mount]?.counts.total ?? 0,
            path: paths.find(insertion.path)?.counts.total ?? 0,
            parent: insertion.parent.map { tree.childCount(of: $0) } ?? 0,
            owner: insertion.fields.owner.flatMap { owners.find($0) }?.counts.total ?? 0
        )
    }

    private func parentFacts(_ id: LeaseID, _ context: StoreContext) -> ParentFacts? {
        guard let slot = slot(of: id) else { return nil }
        let row = rows.pointer(slot)
        let facts = UpdateFacts(coveredBy: unexpandedOrder(over: row))
        return ParentFacts(
            isActive: row.pointee.record.refusalUnlessActive(facts, now: context.now) == nil,
            expiresAt: row.pointee.record.expiresAt
        )
    }

    // MARK: - Changing

    func apply(_ update: LeaseUpdate, to id: LeaseID, _ context: StoreContext) -> LeaseChangeOutcome {
        guard let slot = slot(of: id) else { return .refused(.notFound) }
        let inHand = indexed(slot)
        if inHand == nil { putInOrder() }
        let row = rows.pointer(slot)
        let parent = row.pointee.record.parent
        let facts = UpdateFacts(
            coveredBy: unexpandedOrder(over: row),
            parent: parent.flatMap { parentFacts($0, context) },
            hasChildren: tree.hasChildren(id)
        )
        let before = Before(row)
        let neededParent = row.pointee.record.needsParent
        let effect: UpdateEffect
        switch row.pointee.record.apply(update, facts, context) {
        case .failure(let refusal): return .refused(refusal)
        case .success(let success): effect = success
        }
        if row.pointee.record.orderBits != 0 { count(effect, row, before) }
        letGo()
        if case .remove = effect {
            let last = row.pointee.record
            remove(slot, inHand ?? before, context)
            return .applied(last)
        }
        reindex(slot, inHand ?? before)
        if case .detach = update, let parent {
            if neededParent { needLess(parent) }
            if tree.detach(id) == .left(parent, wasLastChild: true) { lastChildLeft(parent, context) }
        }
        return .applied(row.pointee.record)
    }

    private func count(_ effect: UpdateEffect, _ row: UnsafeMutablePointer<MemoryRow>, _ before: Before) {
        if let first = row.pointee.record.order { count(effect, for: first, row, before) }
        for other in row.pointee.record.details?.otherOrders ?? [] { count(effect, for: other, row, before) }
    }

    private func count(
        _ effect: UpdateEffect,
        for id: RevocationOrderID,
        _ row: UnsafeMutablePointer<MemoryRow>,
        _ before: Before
    ) {
        guard let entry = orders.find(id) else { return }
        let after = row.pointee.record.state
        entry.order.progress.count(effect, from: before.state, wasHollow: before.isHollow, to: after)
        orders.settle(entry)
    }

    // MARK: - Removing

    /// Takes a row out, and every hollow record above it that it was the last child of.
    private func remove(_ slot: UInt32, _ before: Before, _ context: StoreContext) {
        let id = rows.pointer(slot).pointee.record.id
        unlink(slot, before)
        if !tree.isEmpty, case .left(let parent, wasLastChild: true) = tree.remove(id) {
            lastChildLeft(parent, context)
        }
    }

    private func lastChildLeft(_ parent: LeaseID, _ context: StoreContext) {
        var next: LeaseID? = parent
        while let id = next, let slot = slot(of: id) {
            next = nil
            let row = rows.pointer(slot)
            let before = Before(row)
            guard row.pointee.record.lastChildLeft(at: context.now) else {
                reindex(slot, before)
                return
            }
            unlink(slot, before)
            if case .left(let above, wasLastChild: true) = tree.remove(id) { next = above }
        }
    }
}
