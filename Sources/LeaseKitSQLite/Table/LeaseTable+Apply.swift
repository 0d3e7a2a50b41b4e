// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    func apply(_ change: LeaseChange, _ context: StoreContext) throws -> LeaseChangeOutcome {
        switch change {
        case .insert(let insertion): try insert(insertion, context)
        case .update(let id, let update): try apply(update, to: id, context)
        }
    }

    // MARK: - Inserting

    private func insert(_ insertion: LeaseInsertion, _ context: StoreContext) throws -> LeaseChangeOutcome {
        var facts = InsertionFacts(now: context.now)
        sql.findByID.bind(1, insertion.id)
        if try sql.findByID.next("find a lease") { facts.holderOfID = insertion.id }
        sql.findByID.reset()
        if let request = insertion.fields.requestID { facts.holderOfRequest = try holder(of: request) }
        facts.closedBy =
            orders.closing.first { $0.order.keepsOut(path: insertion.path, mount: insertion.mount) }?.order.id
        if let parent = insertion.parent { facts.parent = try parentFacts(parent, context) }
        if insertion.quotas != .unlimited { facts.usage = try usage(around: insertion) }
        if let refusal = insertion.refusal(facts) { return .refused(refusal) }
        life.sequence += 1
        let record = insertion.record(sequence: life.sequence, context)
        try insert(record)
        return .applied(record)
    }

    private func holder(of request: String) throws -> LeaseID? {
        sql.findByRequest.bind(1, Array(request.utf8))
        defer { sql.findByRequest.reset() }
        return try sql.findByRequest.next("find a request") ? sql.findByRequest.leaseID(0) : nil
    }

    private func usage(around insertion: LeaseInsertion) throws -> LeaseQuotas.Usage {
        let quotas = insertion.quotas
        var usage = LeaseQuotas.Usage()
        if quotas.perMount != nil { usage.mount = mounts[insertion.mount]?.tally.total ?? 0 }
        if quotas.perPath != nil { usage.path = try places(at: insertion.path).reduce(0) { $0 + $1.tally.total } }
        if let limit = quotas.perParent, let parent = insertion.parent {
            // No more are counted than it takes to say no.
            sql.children.bind(1, parent)
            sql.children.bind(2, 0)
            sql.children.bind(3, limit)
            while try sql.children.next("count children") { usage.parent += 1 }
        }
        if quotas.perOwner != nil, let owner = insertion.fields.owner {
            usage.owner = try self.owner(named: owner, make: false)?.tally.total ?? 0
        }
        return usage
    }

    private func parentFacts(_ id: LeaseID, _ context: StoreContext) throws -> ParentFacts? {
        guard let row = try row(id) else { return nil }
        let facts = UpdateFacts(coveredBy: try unexpandedOrder(over: row.record))
        return ParentFacts(
            isActive: row.record.refusalUnlessActive(facts, now: context.now) == nil,
            expiresAt: row.record.expiresAt
        )
    }

    // MARK: - Changing

    private func apply(_ update: LeaseUpdate, to id: LeaseID, _ context: StoreContext) throws -> LeaseChangeOutcome {
        guard var row = try row(id) else { return .refused(.notFound) }
        if row.isDamaged && !update.isAbandonment { return .refused(.wrongState(.quarantined)) }
        let parent = row.record.parent
        let facts = UpdateFacts(
            coveredBy: try unexpandedOrder(over: row.record),
            parent: try parent.flatMap { try parentFacts($0, context) },
            hasChildren: try hasChildren(id)
        )
        let effect: UpdateEffect
        switch row.record.apply(update, facts, context) {
        case .failure(let refusal): return .refused(refusal)
        case .success(let success): effect = success
        }
        for order in row.was.order == nil ? [] : row.record.orders {
            guard let entry = try orderEntry(order) else { continue }
            entry.order.progress.count(effect, from: row.was.state, wasHollow: row.was.isHollow, to: row.record.state)
            note(entry)
        }
        if case .remove = effect {
            try delete(row)
            if let parent { try childLeft(parent, context) }
            return .applied(row.record)
        }
        try save(row)
        if case .detach = update, let parent { try childLeft(parent, context) }
        return .applied(row.record)
    }

    /// After a child went: every hollow record above it that it was the last child of goes too.
    private func childLeft(_ parent: LeaseID, _ context: StoreContext) throws {
        var next: LeaseID? = parent
        while let id = next, try !hasChildren(id), var row = try row(id), !row.isDamaged {
            next = nil
            if row.record.lastChildLeft(at: context.now) {
                next = row.record.parent
                try delete(row)
            } else if Row.Shape(row.record) != row.was {
                try save(row)
            }
        }
    }
}

extension LeaseUpdate {
    fileprivate var isAbandonment: Bool {
        if case .remove(nil, .abandoned) = self { true } else { false }
    }
}
