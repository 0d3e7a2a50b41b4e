// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Takes a lease off its parent, so that it stands alone from now on.
    public func detach(_ id: LeaseID, cause: LeaseCause = LeaseCause(.requested)) async throws {
        let record = try await change(id, .detach, "detached", cause)
        publish(LeaseEvent(.detached, record, at: clock.now))
    }

    /// Consumes one use of a lease that has a limited number of them.
    ///
    /// After the last one the lease is revoked.
    ///
    /// - Returns: How many are left; nil for a lease without a limit.
    public func consumeUse(of id: LeaseID, cause: LeaseCause = LeaseCause(.requested)) async throws -> UInt32? {
        let record = try await change(id, .consumeUse, "used", cause)
        if record.usesLeft == 0 { alarm.ring() }
        return record.usesLeft
    }

    /// Drops a lease without ending its credential: the only way to do so.
    ///
    /// For a target that is gone for good. The credential may still be live; what is returned names it, for whoever cleans
    /// up by hand. A lease that others hang on is refused: revoke or detach them first.
    ///
    /// - Returns: What was dropped.
    @discardableResult
    public func abandon(_ id: LeaseID, cause: LeaseCause = LeaseCause(.requested)) async throws -> LeaseRecord {
        _ = try await openedForChange()
        guard let last = try await ledger.find(id) else { throw LeaseError.notFound(id) }
        let record = try await change(id, .remove(nil, .abandoned), "abandoned", cause, last: last)
        let note = "its credential may still be live"
        publish(LeaseEvent(.abandoned, record, at: clock.now, outcome: .abandoned, note: note))
        await reportFinished(record.orders)
        alarm.ring()
        return record
    }

    /// Tries stuck and quarantined leases again at once: all of a mount, or those that failed with one code.
    ///
    /// Leases that merely wait for their next try are hurried along, too.
    ///
    /// - Returns: How many are tried again.
    @discardableResult
    public func rearm(
        mountAt path: String,
        code: String? = nil,
        cause: LeaseCause = LeaseCause(.requested)
    ) async throws -> Int {
        _ = try await openedForChange()
        let mount = try mounts.at(path)
        var count = 0
        // Stuck ones turn revoking, so those that are revoking come first: each is counted once.
        for state in [LeaseState.settling, .revoking, .stuck, .quarantined] {
            let query = LeaseQuery(state: state, mount: mount.id)
            var cursor: LeaseCursor?
            repeat {
                let page = try await page(query, after: cursor, limit: LeasePage.maximumSize)
                count += try await rearm(page.records.filter { code == nil || $0.failure?.code == code }, cause)
                cursor = page.next
            } while cursor != nil
        }
        alarm.ring()
        return count
    }

    private func rearm(_ records: [LeaseRecord], _ cause: LeaseCause) async throws -> Int {
        let changes = records.filter { $0.claim == nil && !$0.isHollow }.map { LeaseChange.update($0.id, .rearm) }
        guard !changes.isEmpty else { return 0 }
        let context = ledger.context(cause)
        let outcomes = try await ledger.ask { try await $0.apply(changes, context) }
        let rearmed = outcomes.compactMap(\.record)
        for record in rearmed { publish(LeaseEvent(.rearmed, record, at: context.now)) }
        return rearmed.count
    }

    /// Applies a change that an application asked for, and says in words why it was refused.
    private func change(
        _ id: LeaseID,
        _ update: LeaseUpdate,
        _ what: String,
        _ cause: LeaseCause,
        last: LeaseRecord? = nil
    ) async throws -> LeaseRecord {
        _ = try await openedForChange()
        let context = ledger.context(cause)
        switch try await ledger.updateSurely(id, update, context, last: last) {
        case .applied(let record):
            return record
        case .refused(let refusal):
            guard let record = try await ledger.find(id) else { throw LeaseError.notFound(id) }
            throw LeaseError(refusal, using: record, to: what, now: context.now)
        }
    }
}
