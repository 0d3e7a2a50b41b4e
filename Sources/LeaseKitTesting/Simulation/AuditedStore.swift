// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The lease table itself, with a checker that sees every change: what was before, what was asked, what came of it.
///
/// It stands behind everything that a simulated process can reach, so it knows what is really written.
final class AuditedStore: ForwardingLeaseStore, @unchecked Sendable {
    let table: InMemoryLeaseStore
    let deployment: Int
    let checker: InvariantChecker

    init(_ table: InMemoryLeaseStore, deployment: Int, checker: InvariantChecker) {
        self.table = table
        self.deployment = deployment
        self.checker = checker
        super.init(table)
    }

    override func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        if Task.isCancelled { return try await applyWhileCancelled(changes, context) }
        var outcomes: [LeaseChangeOutcome] = []
        for change in changes {
            let before = try await table.find([change.lease]).value[0]
            var parent: LeaseRecord?
            if case .insert(let insertion) = change, let id = insertion.parent {
                parent = try await table.find([id]).value[0]
            }
            let outcome = try await table.apply([change], context).value[0]
            outcomes.append(outcome)
            checker.didApply(change, before: before, parent: parent, outcome, context, in: deployment)
            if let before, before.parent != nil { try await refreshAncestors(of: before) }
        }
        return StoreReply(outcomes)
    }

    /// Reads look at cancellation, so the change is audited by what it answers alone.
    private func applyWhileCancelled(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        let reply = try await table.apply(changes, context)
        for (change, outcome) in zip(changes, reply.value) {
            checker.didApply(change, before: nil, parent: nil, outcome, context, in: deployment)
        }
        checker.needsRefresh[deployment] = true
        return reply
    }

    override func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        let reply = try await table.place(order, claimUntil: claimUntil, context)
        checker.didPlace(reply.value, context, in: deployment)
        checker.needsRefresh[deployment] = true
        if !Task.isCancelled { try await refresh() }
        return reply
    }

    override func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        let reply = try await table.expand(order, limit: limit, context)
        checker.needsRefresh[deployment] = true
        try await refresh()
        return reply
    }

    override func claimDue(
        _ request: ClaimRequest,
        _ context: StoreContext
    ) async throws -> StoreReply<[ClaimedLease]> {
        let reply = try await table.claimDue(request, context)
        for claimed in reply.value { checker.didClaim(claimed, request, context, in: deployment) }
        return reply
    }

    override func open(at reading: TimeReading) async throws -> StoreOpening {
        let opening = try await table.open(at: reading)
        checker.needsRefresh[deployment] = true
        return opening
    }

    /// What other targets hold is given up with this.
    override func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        let path = try await table.mounts().value.first { $0.id == mount }?.path
        let reply = try await table.adopt(fingerprint, for: mount, expected: expected, context)
        if reply.value, let path, fingerprint != expected {
            let held = checker.names(heldBy: fingerprint)
            checker.excuseAll(in: deployment, "its target was given up") {
                LeasePath.lies($0.path, under: path) && $0.state != nil && !held.contains($0.name)
            }
        }
        return reply
    }

    private func refreshAncestors(of record: LeaseRecord) async throws {
        var next = record.parent
        while let id = next {
            let found = try await table.find([id]).value[0]
            checker.didSee(found, id, in: deployment)
            next = found?.parent
        }
    }

    /// Reads everything again that the checker believes to be there; a record that nobody saw come is a violation.
    func refresh() async throws {
        guard checker.needsRefresh[deployment] else { return }
        checker.needsRefresh[deployment] = false
        var seen: Set<LeaseID> = []
        var cursor: LeaseCursor?
        repeat {
            let page = try await table.page(.all, after: cursor, limit: 500).value
            for record in page.records {
                seen.insert(record.id)
                checker.didSee(record, record.id, in: deployment)
            }
            cursor = page.next
        } while cursor != nil
        for id in checker.recorded(in: deployment) where !seen.contains(id) {
            checker.didSee(nil, id, in: deployment)
        }
    }
}
