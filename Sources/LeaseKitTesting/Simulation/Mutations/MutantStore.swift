// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A store that does what a careless one, or a careless manager, would do.
///
/// Unchecked, as its superclass is: everything that changes lies behind a lock.
final class MutantStore: ForwardingLeaseStore, @unchecked Sendable {
    private let mutation: Mutation
    private let stash = Locked<[LeaseID: (LeaseInsertion, StoreContext)]>([:])

    init(_ base: any LeaseStore, _ mutation: Mutation) {
        self.mutation = mutation
        super.init(base)
    }

    override func open(at reading: TimeReading) async throws -> StoreOpening {
        var opening = try await base.open(at: reading)
        if mutation == .trustsNewBoot { opening.observed = nil }
        return opening
    }

    override func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        var outcomes: [LeaseChangeOutcome] = []
        for change in changes { outcomes.append(try await apply(change, context)) }
        return StoreReply(outcomes)
    }

    private func apply(_ change: LeaseChange, _ context: StoreContext) async throws -> LeaseChangeOutcome {
        switch (mutation, change) {
        case (.activatesRegardless, .update(let id, .activate(let activation))):
            let outcome = try await pass(change, context)
            guard outcome.record == nil, var record = try await base.find([id]).value[0] else { return outcome }
            record.state = .active
            record.handle = activation.handle
            return .applied(record)
        case (.renewsRevoked, .update(let id, .extend(let change))):
            let outcome = try await pass(.update(id, .extend(change)), context)
            // A record that changed is read again, as ever; only that it is not active any more is overlooked.
            switch outcome.refusal {
            case .covered, .wrongState: break
            default: return outcome
            }
            guard var record = try await base.find([id]).value[0] else { return outcome }
            record.expiresAt = change.expiresAt
            return .applied(record)
        case (.forgetsIntent, .insert(let insertion)) where insertion.kind == .credential:
            stash.withLock { $0[insertion.id] = (insertion, context) }
            return .applied(insertion.record(sequence: 0, context))
        case (.forgetsIntent, .update(let id, let update)):
            guard let (insertion, earlier) = stash.withLock({ $0.removeValue(forKey: id) }) else { break }
            let inserted = try await pass(.insert(insertion), earlier)
            guard inserted.record != nil else { return inserted }
            return try await pass(.update(id, update), context)
        case (.endsParentFirst, .insert(var insertion)):
            insertion.needsParent = false
            return try await pass(.insert(insertion), context)
        case (.dropsFailures, .update(let id, .attempt(let claim, _, _, _))):
            return try await pass(.update(id, .remove(claim, .revoked)), context)
        case (.trustsGone, .update(let id, .settle(let claim, _))):
            return try await pass(.update(id, .remove(claim, .alreadyGone)), context)
        case (.ignoresClaims, .update(let id, let update)) where update.claim != nil:
            let outcome = try await pass(change, context)
            guard outcome.refusal == .claimLost, let claim = try await base.find([id]).value[0]?.claim else {
                return outcome
            }
            return try await pass(.update(id, update.with(claim)), context)
        case (.upsertsAttempts, .update(let id, .attempt)):
            let outcome = try await pass(change, context)
            guard outcome.refusal == .notFound else { return outcome }
            return try await upsert(id, context)
        case (.marksLookAtCancellation, .update):
            if Task.isCancelled { throw CancellationError() }
        default: break
        }
        return try await pass(change, context)
    }

    private func pass(_ change: LeaseChange, _ context: StoreContext) async throws -> LeaseChangeOutcome {
        try await base.apply([change], context).value[0]
    }

    private func upsert(_ id: LeaseID, _ context: StoreContext) async throws -> LeaseChangeOutcome {
        guard let mount = try await base.mounts().value.first(where: { $0.kind != "session/1" }) else {
            return .refused(.notFound)
        }
        let insertion = LeaseInsertion(
            id: id,
            mount: mount.id,
            path: mount.path,
            handle: [],
            issuedAt: context.now,
            expiresAt: context.now + .seconds(60),
            deadline: context.now + .seconds(30)
        )
        return try await pass(.insert(insertion), context)
    }

    override func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        if mutation == .ordersLookAtCancellation && Task.isCancelled { throw CancellationError() }
        if mutation == .endsParentFirst || mutation == .hurriesParents {
            var hasty = RevocationOrder(
                id: order.id,
                selection: order.selection,
                cause: order.cause,
                urgency: order.urgency,
                isClosing: order.isClosing,
                patience: .zero,
                placedAt: order.placedAt
            )
            hasty.mount = order.mount
            return try await base.place(hasty, claimUntil: claimUntil, context)
        }
        let reply = try await base.place(order, claimUntil: claimUntil, context)
        if mutation == .claimsPending, let root = order.selection.root {
            let handOver = LeaseHandOver(handle: nil, mayBeInFlight: false)
            if try await base.find([root]).value[0]?.state == .pending {
                _ = try await base.apply([.update(root, .handOver(handOver))], context)
            }
        }
        return reply
    }

    override func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        let reply = try await base.expand(order, limit: limit, context)
        guard mutation == .claimsPending else { return reply }
        let page = try await base.page(LeaseQuery(state: .pending, order: order), after: nil, limit: 100).value
        let handOver = LeaseHandOver(handle: nil, mayBeInFlight: false)
        for record in page.records { _ = try await base.apply([.update(record.id, .handOver(handOver))], context) }
        return reply
    }
}

extension LeaseUpdate {
    /// The same change with another claim.
    fileprivate func with(_ claim: LeaseClaim) -> LeaseUpdate {
        switch self {
        case .attempt(_, let failure, let due, let isStuck): .attempt(claim, failure, due: due, isStuck: isStuck)
        case .release(_, let due): .release(claim, due: due)
        case .settle(_, let due): .settle(claim, due: due)
        case .end(_, let until): .end(claim, until: until)
        case .remove(_, let outcome): .remove(claim, outcome)
        case .quarantine(_, let failure): .quarantine(claim, failure)
        default: self
        }
    }
}
