// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A store that passes every call on to another one.
///
/// Subclasses override the calls they want to watch, change or break.
///
/// Unchecked, because the class is open; its only property never changes and may cross threads. A subclass with state of
/// its own has to guard it.
open class ForwardingLeaseStore: LeaseStore, @unchecked Sendable {
    /// The store that does the work.
    public let base: any LeaseStore

    /// Wraps a store.
    public init(_ base: any LeaseStore) { self.base = base }

    /// What the store is and is not.
    open var traits: StoreTraits { base.traits }

    /// Opens the table.
    open func open(at reading: TimeReading) async throws -> StoreOpening { try await base.open(at: reading) }

    /// Closes the table.
    open func close() async { await base.close() }

    /// Applies changes.
    open func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        try await base.apply(changes, context)
    }

    /// Writes an order down.
    open func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try await base.place(order, claimUntil: claimUntil, context)
    }

    /// Expands an order.
    open func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        try await base.expand(order, limit: limit, context)
    }

    /// Finds orders.
    open func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try await base.orders(ids)
    }

    /// Lists open orders.
    open func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        try await base.openOrders(limit: limit)
    }

    /// Lets a closing order admit leases again.
    open func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await base.reopen(order, context)
    }

    /// Hands out due leases.
    open func claimDue(_ request: ClaimRequest, _ context: StoreContext) async throws -> StoreReply<[ClaimedLease]> {
        try await base.claimDue(request, context)
    }

    /// When each mount has something due next.
    open func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]> {
        try await base.nextDue(mounts, scope)
    }

    /// Finds leases.
    open func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> { try await base.find(ids) }

    /// Reads a page.
    open func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        try await base.page(query, after: cursor, limit: limit)
    }

    /// Counts leases.
    open func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> {
        try await base.counts(scope)
    }

    /// Lists mounts.
    open func mounts() async throws -> StoreReply<[MountRegistration]> { try await base.mounts() }

    /// Registers a mount.
    open func register(
        path: String,
        kind: String,
        _ context: StoreContext
    ) async throws -> StoreReply<MountRegistration> {
        try await base.register(path: path, kind: kind, context)
    }

    /// Changes a mount's fingerprint.
    open func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try await base.adopt(fingerprint, for: mount, expected: expected, context)
    }

    /// Forgets a mount.
    open func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await base.unregister(mount, context)
    }

    /// Reads a mount's state.
    open func loadState(_ mount: MountID, key: String) async throws -> StoreReply<MountState?> {
        try await base.loadState(mount, key: key)
    }

    /// Writes a mount's state.
    open func saveState(
        _ mount: MountID,
        key: String,
        expectedVersion: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<UInt64?> {
        try await base.saveState(
            mount, key: key, expectedVersion: expectedVersion, bytes: bytes, due: due, context)
    }

    /// Keeps the newest observed time.
    open func record(_ time: ObservedTime) async throws { try await base.record(time) }

    /// Begins a new epoch.
    open func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64> {
        try await base.beginEpoch(context)
    }
}
