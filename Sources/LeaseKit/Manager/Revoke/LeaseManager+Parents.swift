// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Leaves first: an order, not a condition.
extension LeaseManager {
    /// Which of some claimed leases may be ended now; the others are parents that wait for their children, and are given back.
    func readyToEnd(_ claimed: [ClaimedLease]) async -> [ClaimedLease] {
        let parents = claimed.filter { $0.hasChildren && $0.record.mayWaitForChildren }
        if parents.isEmpty { return claimed }
        let patience = await patience(of: parents)
        let now = clock.now
        var waiting: [LeaseID: LeaseInstant] = [:]
        for parent in parents.map(\.record) {
            guard let next = patience(parent, now), await isHeldBack(parent.id) else { continue }
            waiting[parent.id] = next
        }
        if waiting.isEmpty { return claimed }
        let wait = claimed.filter { waiting[$0.record.id] != nil }
        await giveBack(wait) { waiting[$0.id] ?? now }
        // A child that left while its parent was claimed did not hurry it along.
        for parent in wait where await !isHeldBack(parent.record.id) { await hurry(parent.record.id) }
        return claimed.filter { waiting[$0.record.id] == nil }
    }

    /// Lets a parent that waits for its children be looked at now.
    func hurry(_ parent: LeaseID) async {
        guard let record = try? await ledger.find(parent), record.mayWaitForChildren, record.claim == nil else {
            return
        }
        _ = try? await ledger.update(parent, .rearm, ledger.context(record.cause ?? LeaseCause(.parentEnded)))
    }

    /// Says until when a parent may be made to wait at a time; nil when its patience is over.
    ///
    /// The shortest of its orders' counts. Where the store does not say, it waits.
    private func patience(of parents: [ClaimedLease]) async -> (LeaseRecord, LeaseInstant) -> LeaseInstant? {
        var ids: [RevocationOrderID] = []
        for parent in parents { ids += parent.record.orders.filter { !ids.contains($0) } }
        guard let found = try? await ledger.ask({ [ids] in try await $0.orders(ids) }) else {
            return { _, now in now + Patience.firstLook }
        }
        let orders = Dictionary(zip(ids, found)) { first, _ in first }
        return { record, now in
            var next = LeaseInstant.distantFuture
            for id in record.orders {
                // An order that is known no more has been complete for long.
                guard let order = orders[id] ?? nil,
                    let look = Patience(placedAt: order.placedAt, length: order.patience).nextLook(at: now)
                else { return nil }
                next = min(next, look)
            }
            return next
        }
    }

    /// Whether a parent has a child that makes progress.
    ///
    /// Of very many children the first thousand are looked at; if none of those does, the parent waits its patience.
    private func isHeldBack(_ parent: LeaseID) async -> Bool {
        var cursor: LeaseCursor?
        for _ in 0..<10 {
            let query = LeaseQuery(parent: parent)
            guard let page = try? await ledger.ask({ try await $0.page(query, after: cursor, limit: 100) }) else {
                return true
            }
            if page.records.contains(where: progresses) { return true }
            guard let next = page.next else { return false }
            cursor = next
        }
        return true
    }

    /// Whether a child is on its way out, so that its parent had better wait for it.
    ///
    /// A child whose backend needs the parent is not asked: the store hands its parent out to nobody.
    private func progresses(_ child: LeaseRecord) -> Bool {
        if child.isHollow { return false }
        switch child.state {
        case .stuck, .quarantined, .settling, .ending: return false
        case .pending, .active, .revoking: break
        }
        // One that nobody serves does not move; on a shared store another manager may.
        guard let mount = mounts[child.mount] else { return !ledger.store.traits.isExclusive }
        return mount.gate.withLock { $0.breaker.isClosed && !$0.isMismatched }
    }
}

extension LeaseRecord {
    /// Whether a parent has not been tried yet, so that it may still wait for its children.
    fileprivate var mayWaitForChildren: Bool { order != nil && state == .revoking && attempts == 0 && !isHollow }
}
