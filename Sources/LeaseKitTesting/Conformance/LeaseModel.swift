// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The reference: a dictionary of records, a tree, and orders that are asked one by one.
///
/// It uses the same rules as every store and none of their indexes, so that it is slow and plainly right. Where a store
/// is free to choose (which of several due leases it hands out, which page of an order it covers first), the model
/// follows its choice and says when it was a wrong one.
struct LeaseModel {
    private(set) var records: [LeaseID: LeaseRecord] = [:]
    private(set) var tree = LeaseTree()
    private(set) var orders: [RevocationOrder] = []
    private var newestSequence: UInt64 = 0
    private var newestClaim: UInt64 = 0

    // MARK: - Facts

    func order(_ id: RevocationOrderID) -> RevocationOrder? { orders.first { $0.id == id } }

    /// Whether an order is about a lease, by itself or by something above it.
    func covers(_ order: RevocationOrder, _ id: LeaseID) -> Bool {
        ([id] + tree.ancestors(of: id)).contains { id in
            records[id].map { order.selects($0) || $0.orders.contains(order.id) } ?? false
        }
    }

    private func unexpandedOrder(over id: LeaseID) -> RevocationOrderID? {
        orders.first { !$0.progress.isExpanded && covers($0, id) }?.id
    }

    private func parentFacts(_ id: LeaseID?, _ now: LeaseInstant) -> ParentFacts? {
        guard let id, let parent = records[id] else { return nil }
        let facts = UpdateFacts(coveredBy: unexpandedOrder(over: id))
        return ParentFacts(
            isActive: parent.refusalUnlessActive(facts, now: now) == nil,
            expiresAt: parent.expiresAt
        )
    }

    func isNeeded(_ id: LeaseID) -> Bool {
        tree.children(of: id).ids.contains { records[$0]?.needsParent ?? false }
    }

    func count(_ isCounted: (LeaseRecord) -> Bool) -> LeaseCounts {
        var counts = LeaseCounts()
        for record in records.values where isCounted(record) { counts[record.state] += 1 }
        return counts
    }

    // MARK: - Changes

    /// Applies a change; `seen` is the sequence that the store gave to a lease that is inserted.
    mutating func apply(_ change: LeaseChange, sequence seen: UInt64?, _ context: StoreContext) -> LeaseChangeOutcome {
        switch change {
        case .insert(let insertion): insert(insertion, sequence: seen ?? newestSequence + 1, context)
        case .update(let id, let update): apply(update, to: id, context)
        }
    }

    private mutating func insert(
        _ insertion: LeaseInsertion,
        sequence: UInt64,
        _ context: StoreContext
    ) -> LeaseChangeOutcome {
        var facts = InsertionFacts(now: context.now)
        facts.holderOfID = records[insertion.id]?.id
        if let request = insertion.fields.requestID {
            facts.holderOfRequest = records.values.first { $0.requestID == request }?.id
        }
        facts.closedBy = orders.first { $0.keepsOut(path: insertion.path, mount: insertion.mount) }?.id
        facts.parent = parentFacts(insertion.parent, context.now)
        facts.usage.mount = count { $0.mount == insertion.mount }.total
        facts.usage.path = count { $0.path == insertion.path }.total
        facts.usage.parent = insertion.parent.map { parent in count { $0.parent == parent }.total } ?? 0
        facts.usage.owner = insertion.fields.owner.map { owner in count { $0.owner == owner }.total } ?? 0
        if let refusal = insertion.refusal(facts) { return .refused(refusal) }
        let record = insertion.record(sequence: max(sequence, newestSequence + 1), context)
        newestSequence = record.sequence
        records[record.id] = record
        if let parent = record.parent { _ = tree.insert(record.id, under: parent) }
        return .applied(record)
    }

    private mutating func apply(
        _ update: LeaseUpdate,
        to id: LeaseID,
        _ context: StoreContext
    ) -> LeaseChangeOutcome {
        guard var record = records[id] else { return .refused(.notFound) }
        let before = record
        let facts = UpdateFacts(
            coveredBy: unexpandedOrder(over: id),
            parent: parentFacts(record.parent, context.now),
            hasChildren: tree.hasChildren(id)
        )
        switch record.apply(update, facts, context) {
        case .failure(let refusal):
            return .refused(refusal)
        case .success(let effect):
            for order in orders.indices where record.orders.contains(orders[order].id) {
                orders[order].progress.count(
                    effect,
                    from: before.state,
                    wasHollow: before.isHollow,
                    to: record.state
                )
            }
            if case .remove = effect {
                remove(id, context.now)
            } else {
                records[id] = record
                if case .detach = update { left(tree.detach(id), context.now) }
            }
            return .applied(record)
        }
    }

    private mutating func remove(_ id: LeaseID, _ now: LeaseInstant) {
        records[id] = nil
        left(tree.remove(id), now)
    }

    private mutating func left(_ departure: LeaseTree.Departure, _ now: LeaseInstant) {
        guard case .left(let parent, wasLastChild: true) = departure else { return }
        if records[parent]?.lastChildLeft(at: now) == true { remove(parent, now) }
    }

    // MARK: - Orders

    mutating func place(
        _ order: RevocationOrder,
        cutoff: UInt64,
        claim: LeaseClaim?,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) -> OrderPlacement {
        if let known = self.order(order.id) { return OrderPlacement(order: known) }
        let asked = order
        var order = order
        order.mount = nil
        order.cutoff = cutoff
        guard let root = order.selection.root else {
            orders.append(order)
            return OrderPlacement(order: order)
        }
        let hasChildren = tree.hasChildren(root)
        if let refusal = records[root].flatMap({ asked.refusal(root: $0, hasChildren: hasChildren) }) {
            return OrderPlacement(order: order, refusal: refusal)
        }
        order.progress.isExpanded = !hasChildren
        var claimed: ClaimedLease?
        if var record = records[root] {
            order.progress.count(record.cover(by: order, hasChildren: hasChildren, context))
            if let claimUntil, !hasChildren, record.claim == nil {
                let token = claim ?? LeaseClaim(rawValue: newestClaim + 1)
                if record.hand(to: token, lapsesAt: claimUntil, context) {
                    claimed = ClaimedLease(record: record, hasChildren: false)
                    newestClaim = max(newestClaim, token.rawValue)
                }
            }
            records[root] = record
        }
        orders.append(order)
        return OrderPlacement(order: order, claimed: claimed)
    }

    /// Covers what a store covered in one page of an order.
    ///
    /// Answers what was wrong with it.
    mutating func expand(
        _ id: RevocationOrderID,
        covered: [LeaseID],
        isExpanded: Bool,
        limit: Int,
        _ context: StoreContext
    ) -> [String] {
        guard let index = orders.firstIndex(where: { $0.id == id }) else { return ["an order that nobody placed"] }
        var wrong: [String] = []
        if orders[index].progress.isExpanded && !covered.isEmpty { wrong.append("covered more after the end") }
        if covered.count > limit { wrong.append("covered \(covered.count) with a limit of \(limit)") }
        for lease in covered where !covers(orders[index], lease) {
            wrong.append("covered \(lease), which it is not about")
        }
        for lease in covered {
            let effect = records[lease]?.cover(
                by: orders[index],
                hasChildren: tree.hasChildren(lease),
                context
            )
            if let effect { orders[index].progress.count(effect) }
        }
        if isExpanded {
            for (lease, record) in records where !record.isHollow && !record.orders.contains(id) {
                if covers(orders[index], lease) && !orders[index].progress.isExpanded {
                    wrong.append("never covered \(lease)")
                }
            }
            orders[index].progress.isExpanded = true
        }
        return wrong
    }

    mutating func reopen(_ id: RevocationOrderID) -> Bool {
        guard let index = orders.firstIndex(where: { $0.id == id }), orders[index].isClosing else { return false }
        orders[index].isClosing = false
        return true
    }

    // MARK: - Claims

    /// Hands out what a store handed out.
    ///
    /// Answers what was wrong with it.
    mutating func claim(_ handed: [LeaseRecord], _ request: ClaimRequest, _ context: StoreContext) -> [String] {
        var wrong: [String] = []
        let before = self
        for seen in handed {
            guard var record = records[seen.id], let claim = seen.claim else {
                wrong.append("handed out \(seen.id), which is not there")
                continue
            }
            if record.mount != request.mount { wrong.append("handed out \(seen.id) of another mount") }
            if request.scope == .ordered && record.urgency != .ordered { wrong.append("handed out \(seen.id) by time") }
            if isNeeded(seen.id) { wrong.append("handed out \(seen.id), which a child needs") }
            if claim.rawValue <= before.newestClaim { wrong.append("gave claim \(claim.rawValue) again") }
            if !record.hand(to: claim, lapsesAt: request.lapsesAt, context) {
                wrong.append("handed out \(seen.id), which is not due")
            }
            newestClaim = max(newestClaim, claim.rawValue)
            records[seen.id] = record
        }
        wrong += before.passedOver(Set(handed.map(\.id)), request, context)
        return wrong
    }

    /// What should have been handed out before something that was.
    private func passedOver(
        _ handed: Set<LeaseID>,
        _ request: ClaimRequest,
        _ context: StoreContext
    ) -> [String] {
        let isFull = handed.count >= request.room
        let last = handed.compactMap { records[$0] }.max { Self.precedes($0, $1) }
        return records.values.compactMap { record in
            var copy = record
            guard record.mount == request.mount, !handed.contains(record.id), !isNeeded(record.id),
                request.scope == .everything || record.urgency == .ordered,
                copy.hand(to: LeaseClaim(rawValue: 1), lapsesAt: request.lapsesAt, context)
            else { return nil }
            if isFull, let last, !Self.precedes(record, last) { return nil }
            if isFull && handed.isEmpty { return nil }
            return "left out \(record.id), due \(record.due.nanosecondsSinceEpoch)"
        }
    }

    private static func precedes(_ lhs: LeaseRecord, _ rhs: LeaseRecord) -> Bool {
        lhs.urgency == rhs.urgency ? lhs.due < rhs.due : lhs.urgency > rhs.urgency
    }

    /// Follows a store that put a needed parent off.
    mutating func follow(_ seen: LeaseRecord, at now: LeaseInstant) {
        guard isNeeded(seen.id), var record = records[seen.id], record.due <= now else { return }
        record.waitForChild(at: now)
        if seen.due == record.due { records[seen.id] = record }
    }

    mutating func void(at now: LeaseInstant) {
        for id in records.keys { records[id]?.void(at: now) }
    }
}
