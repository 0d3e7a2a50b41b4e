// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A store whose calls fail when a plan says so: before they do anything, after they did it, or by hanging.
///
/// ```swift
/// let store = FaultyLeaseStore(InMemoryLeaseStore()) { call in
///     call.kind == .apply && call.index == 7 ? .unknown : nil
/// }
/// ```
public final class FaultyLeaseStore: ForwardingLeaseStore, @unchecked Sendable {
    private let plan: @Sendable (StoreCall) -> StoreFault?
    private let callCount = Locked(0)

    /// Wraps a store; `plan` is asked before every call, from any thread, and answers nil to let it through.
    public init(_ base: any LeaseStore, plan: @escaping @Sendable (StoreCall) -> StoreFault?) {
        self.plan = plan
        super.init(base)
    }

    private func faulty<Value: Sendable>(
        _ kind: StoreCall.Kind,
        _ changes: [LeaseChange] = [],
        _ body: () async throws -> Value
    ) async throws -> Value {
        let index = callCount.withLock { count in
            defer { count += 1 }
            return count
        }
        switch plan(StoreCall(kind: kind, index: index, changes: changes)) {
        case nil:
            return try await body()
        case .failBefore(let error):
            throw error
        case .failAfter(let error):
            _ = try await body()
            throw error
        case .holdBefore(let gate):
            await gate.pass()
            return try await body()
        case .holdAfter(let gate):
            let value = try await body()
            await gate.pass()
            return value
        }
    }

    /// Opens the table.
    override public func open(at reading: TimeReading) async throws -> StoreOpening {
        try await faulty(.open) { try await base.open(at: reading) }
    }

    /// Applies changes.
    override public func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        try await faulty(.apply, changes) {
            try await base.apply(changes, context)
        }
    }

    /// Writes an order down.
    override public func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try await faulty(.place) {
            try await base.place(order, claimUntil: claimUntil, context)
        }
    }

    /// Expands an order.
    override public func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        try await faulty(.expand) {
            try await base.expand(order, limit: limit, context)
        }
    }

    /// Finds orders.
    override public func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try await faulty(.orders) {
            try await base.orders(ids)
        }
    }

    /// Lists open orders.
    override public func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        try await faulty(.openOrders) {
            try await base.openOrders(limit: limit)
        }
    }

    /// Lets a closing order admit leases again.
    override public func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await faulty(.reopen) {
            try await base.reopen(order, context)
        }
    }

    /// Hands out due leases.
    override public func claimDue(_ request: ClaimRequest, _ context: StoreContext) async throws -> StoreReply<[ClaimedLease]> {
        try await faulty(.claimDue) {
            try await base.claimDue(request, context)
        }
    }

    /// When each mount has something due next.
    override public func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]> {
        try await faulty(.nextDue) {
            try await base.nextDue(mounts, scope)
        }
    }

    /// Finds leases.
    override public func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> {
        try await faulty(.find) { try await base.find(ids) }
    }

    /// Reads a page.
    override public func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        try await faulty(.page) {
            try await base.page(query, after: cursor, limit: limit)
        }
    }

    /// Counts leases.
    override public func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> {
        try await faulty(.counts) {
            try await base.counts(scope)
        }
    }

    /// Lists mounts.
    override public func mounts() async throws -> StoreReply<[MountRegistration]> {
        try await faulty(.mounts) { try await base.mounts() }
    }

    /// Registers a mount.
    override public func register(
        path: String,
        kind: String,
        _ context: StoreContext
    ) async throws -> StoreReply<MountRegistration> {
        try await faulty(.register) {
            try await base.register(path: path, kind: kind, context)
        }
    }

    /// Changes a mount's fingerprint.
    override public func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try await faulty(.adopt) {
            try await base.adopt(fingerprint, for: mount, expected: expected, context)
        }
    }

    /// Forgets a mount.
    override public func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await faulty(.unregister) {
            try await base.unregister(mount, context)
        }
    }

    /// Reads a mount's state.
    override public func loadState(_ mount: MountID, key: String) async throws -> StoreReply<MountState?> {
        try await faulty(.loadState) {
            try await base.loadState(mount, key: key)
        }
    }

    /// Writes a mount's state.
    override public func saveState(
        _ mount: MountID,
        key: String,
        expectedVersion: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<UInt64?> {
        try await faulty(.saveState) {
            try await base.saveState(
            mount, key: key, expectedVersion: expectedVersion, bytes: bytes, due: due, context)
        }
    }

    /// Keeps the newest observed time.
    override public func record(_ time: ObservedTime) async throws {
        try await faulty(.record) { try await base.record(time) }
    }

    /// Begins a new epoch.
    override public func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64> {
        try await faulty(.beginEpoch) {
            try await base.beginEpoch(context)
        }
    }
}
