// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A store whose answers get lost, or that cannot be reached, when a test says so.
struct FlakyStore: LeaseStore {
    /// What goes wrong with one call.
    enum Fault: Sendable {
        case refused, unavailable
        /// Done, and the answer is lost.
        case doneAndLost
        /// Not done, and nobody knows.
        case lost
    }

    /// The calls that can go wrong.
    enum Call: Hashable, Sendable {
        case insert, activate, handOver, extend, remove, place, claim, open, mounts, find, orders
    }

    /// What a test decides.
    final class Script: Sendable {
        private let faults = Locked<[Call: [Fault]]>([:])
        func next(_ call: Call, _ faults: Fault...) { self.faults.withLock { $0[call, default: []] += faults } }
        func take(_ call: Call) -> Fault? {
            faults.withLock { $0[call]?.isEmpty == false ? $0[call]?.removeFirst() : nil }
        }
    }

    let store: InMemoryLeaseStore
    let script: Script

    var traits: StoreTraits { store.traits }

    private func run<Answer>(_ call: Call?, _ body: () async throws -> Answer) async throws -> Answer {
        switch call.flatMap({ script.take($0) }) {
        case nil: return try await body()
        case .refused?: throw StoreError(.refused, "the disk is full; make room")
        case .unavailable?: throw StoreError(.unavailable, "the store cannot be reached; try again")
        case .doneAndLost?:
            _ = try await body()
            throw StoreError(.unknown, "the answer was lost")
        case .lost?: throw StoreError(.unknown, "the request was lost")
        }
    }

    private static func call(for change: LeaseChange?) -> Call? {
        switch change {
        case .insert?: .insert
        case .update(_, .activate)?: .activate
        case .update(_, .handOver)?: .handOver
        case .update(_, .extend)?: .extend
        case .update(_, .remove)?: .remove
        default: nil
        }
    }

    func open(at reading: TimeReading) async throws -> StoreOpening {
        try await run(.open) { try await store.open(at: reading) }
    }
    func close(_ incarnation: Incarnation) async { await store.close(incarnation) }
    func apply(_ changes: [LeaseChange], _ context: StoreContext) async throws -> StoreReply<[LeaseChangeOutcome]> {
        try await run(Self.call(for: changes.first)) { try await store.apply(changes, context) }
    }
    func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try await run(.place) { try await store.place(order, claimUntil: claimUntil, context) }
    }
    func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        try await store.expand(order, limit: limit, context)
    }
    func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try await run(.orders) { try await store.orders(ids) }
    }
    func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        try await store.openOrders(limit: limit)
    }
    func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await store.reopen(order, context)
    }
    func claimDue(_ request: ClaimRequest, _ context: StoreContext) async throws -> StoreReply<[ClaimedLease]> {
        try await run(.claim) { try await store.claimDue(request, context) }
    }
    func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]> {
        try await store.nextDue(mounts, scope)
    }
    func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> {
        try await run(.find) { try await store.find(ids) }
    }
    func page(_ query: LeaseQuery, after cursor: LeaseCursor?, limit: Int) async throws -> StoreReply<LeasePage> {
        try await store.page(query, after: cursor, limit: limit)
    }
    func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> { try await store.counts(scope) }
    func mounts() async throws -> StoreReply<[MountRegistration]> {
        try await run(.mounts) { try await store.mounts() }
    }
    func register(path: String, kind: String, _ context: StoreContext) async throws -> StoreReply<MountRegistration> {
        try await store.register(path: path, kind: kind, context)
    }
    func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try await store.adopt(fingerprint, for: mount, expected: expected, context)
    }
    func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await store.unregister(mount, context)
    }
    func loadState(_ mount: MountID, key: String) async throws -> StoreReply<MountState?> {
        try await store.loadState(mount, key: key)
    }
    func saveState(
        _ mount: MountID,
        key: String,
        expectedVersion: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<UInt64?> {
        try await store.saveState(
            mount,
            key: key,
            expectedVersion: expectedVersion,
            bytes: bytes,
            due: due,
            context
        )
    }
    func record(_ time: ObservedTime) async throws { try await store.record(time) }
    func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64> {
        try await store.beginEpoch(context)
    }
}
