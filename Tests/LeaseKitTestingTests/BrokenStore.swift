// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A store that breaks one rule on purpose.
///
/// Unchecked like its parent: its own property never changes either.
final class BrokenStore: ForwardingLeaseStore, @unchecked Sendable {
    enum Flaw: CaseIterable, Sendable {
        case forgetsRequestIDs, ignoresQuotas, forgetsParents, ignoresDeadlines, ignoresGenerations, losesOperations
        case handsOutEarly, handsOutTooMuch, handsOutByTimeInHoldOff, ignoresClosing, coversTheWholeMount
        case refusesNoTrees, miscountsOrders, reversesOpenOrders, repeatsPages, losesTheLastOfAPage, miscounts
        case forgetsTime, keepsTheOldHandle, losesChanges
    }

    private let flaw: Flaw

    init(_ flaw: Flaw) {
        self.flaw = flaw
        super.init(InMemoryLeaseStore())
    }

    override func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        var context = context
        if flaw == .losesOperations { context.operation = 0 }
        if flaw == .ignoresDeadlines { context.now = context.now - .seconds(3_600) }
        var broken: [LeaseChange] = []
        for change in changes { broken.append(try await spoil(change)) }
        return try await super.apply(broken, context)
    }

    private func spoil(_ change: LeaseChange) async throws -> LeaseChange {
        switch change {
        case .insert(var insertion):
            if flaw == .forgetsRequestIDs { insertion.fields.requestID = nil }
            if flaw == .ignoresQuotas { insertion.quotas = .unlimited }
            if flaw == .forgetsParents { insertion.parent = nil }
            return .insert(insertion)
        case .update(let id, .activate(var activation)):
            let record = try await base.find([id]).value[0]
            if flaw == .ignoresGenerations, let record { activation.generation = record.generation }
            if flaw == .keepsTheOldHandle, let record { activation.handle = record.handle }
            return .update(id, .activate(activation))
        case .update(_, .extend) where flaw == .losesChanges:
            return .update(LeaseID(high: 404, low: 404), .consumeUse)
        default:
            return change
        }
    }

    override func claimDue(_ request: ClaimRequest, _ context: StoreContext) async throws -> StoreReply<[ClaimedLease]>
    {
        var (request, context) = (request, context)
        if flaw == .handsOutEarly { context.now = context.now + .seconds(2) }
        if flaw == .handsOutTooMuch { request.room += 1 }
        if flaw == .handsOutByTimeInHoldOff { request.scope = .everything }
        return try await super.claimDue(request, context)
    }

    override func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        var order = order
        if flaw == .ignoresClosing { order.isClosing = false }
        if flaw == .coversTheWholeMount, case .prefix(let prefix) = order.selection {
            let top = String(prefix.prefix { $0 != "/" })
            order = copy(of: order, about: .prefix(top))
        }
        if flaw == .refusesNoTrees, case .lease(let id) = order.selection { order = copy(of: order, about: .tree(id)) }
        return try await super.place(order, claimUntil: claimUntil, context)
    }

    private func copy(of order: RevocationOrder, about selection: LeaseSelection) -> RevocationOrder {
        RevocationOrder(
            id: order.id,
            selection: selection,
            cause: order.cause,
            urgency: order.urgency,
            isClosing: order.isClosing,
            patience: order.patience,
            placedAt: order.placedAt
        )
    }

    override func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        var reply = try await super.orders(ids)
        if flaw == .miscountsOrders {
            for index in reply.value.indices { reply.value[index]?.progress.revoked += 1 }
        }
        return reply
    }

    override func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        var reply = try await super.openOrders(limit: limit)
        if flaw == .reversesOpenOrders { reply.value.reverse() }
        return reply
    }

    override func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        var reply = try await super.page(query, after: flaw == .repeatsPages ? nil : cursor, limit: limit)
        if flaw == .losesTheLastOfAPage && reply.value.next != nil { _ = reply.value.records.popLast() }
        return reply
    }

    override func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> {
        var reply = try await super.counts(scope)
        if flaw == .miscounts { reply.value[.active] += 1 }
        return reply
    }

    override func record(_ time: ObservedTime) async throws {
        if flaw != .forgetsTime { try await super.record(time) }
    }
}
