// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease store in memory: quick, and gone with the process.
///
/// It is made for services whose credentials may end with them, and for tests. Because it is volatile, a manager over it
/// revokes everything on its way out and refuses backends whose credentials do not end by themselves. What survives a crash is
/// `SQLiteLeaseStore`, in the product `LeaseKitSQLite`.
///
/// Calls never suspend. One lock guards the whole table; a million leases take about 340 MB, and what a call costs depends
/// on how much it returns far more than on how many leases there are.
public final class InMemoryLeaseStore: LeaseStore {
    /// What the store is and is not.
    public let traits: StoreTraits
    private let table: Locked<MemoryTable>

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - deployment: Whose leases these are; random when nil.
    ///   - isExclusive: Whether one manager owns it. With false several managers share it, and none voids the claims of
    ///     another when it opens it.
    ///   - entropy: Where a random deployment is drawn from.
    public convenience init(
        deployment: String? = nil,
        isExclusive: Bool = true,
        entropy: LeaseEntropy = .system
    ) {
        self.init(deployment: deployment, isExclusive: isExclusive, entropy: entropy, simulatedDurability: false)
    }

    /// Makes an empty store that may claim to survive its process, so that a simulation can stop and start managers on it.
    package convenience init(
        deployment: String? = nil,
        isExclusive: Bool = true,
        entropy: LeaseEntropy = .system,
        simulatedDurability: Bool
    ) {
        let name = deployment ?? LeaseID.random(using: entropy).text
        self.init(
            table: MemoryTable(life: MemoryLife(deployment: name, isExclusive: isExclusive)),
            traits: StoreTraits(isDurable: simulatedDurability, isExclusive: isExclusive, isImmediate: true)
        )
    }

    private init(table: MemoryTable, traits: StoreTraits) {
        self.table = Locked(table)
        self.traits = traits
    }

    /// Makes an independent copy as it is now, marked as a backup: until a new epoch begins on it, every opening says so.
    ///
    /// It holds the lock for about a microsecond a lease.
    public func backup() -> InMemoryLeaseStore { copy(doubts: [.restoredBackup]) }

    /// Makes an independent copy that bears no mark, like an old copy of a file.
    package func unmarkedCopy() -> InMemoryLeaseStore { copy(doubts: []) }

    private func copy(doubts: [StoreDoubt]) -> InMemoryLeaseStore {
        InMemoryLeaseStore(table: table.withLock { $0.copy(doubts: $0.life.doubts + doubts) }, traits: traits)
    }

    /// Opens the store for one manager, and begins a new incarnation.
    public func open(at reading: TimeReading) async throws -> StoreOpening {
        table.withLock { $0.open(at: reading) }
    }

    /// Closes the store for this manager; it can still be read.
    public func close(_ incarnation: Incarnation) async {
        table.withLock { $0.close(incarnation) }
    }
}

// MARK: - Leases

extension InMemoryLeaseStore {
    /// Applies changes, each atomic alone, in order, and answers each one.
    public func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        if Task.isCancelled && changes.allSatisfy(\.isInsertion) { throw CancellationError() }
        return try write(context, putsInOrder: false) { table in
            changes.map { table.apply($0, context) }
        }
    }

    /// Hands out due leases of one mount.
    public func claimDue(
        _ request: ClaimRequest,
        _ context: StoreContext
    ) async throws -> StoreReply<[ClaimedLease]> {
        try write(context) { $0.claimDue(request, context) }
    }

    /// When each mount has something due next; nil for nothing.
    public func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]> {
        try read { table in mounts.map { table.nextDue($0, scope) } }
    }

    /// Finds leases by id; nil for one that is not there.
    public func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> {
        try read { table in ids.map { table.find($0) } }
    }

    /// Reads one page of leases: by path and sequence, the children of a lease in the order of their insertion, and
    /// those of an owner or in an unusual state by sequence.
    public func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        try read { table throws(LeaseError) in try table.page(query, after: cursor, limit: limit) }
    }

    /// Counts leases by state.
    public func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> {
        try read { $0.counts(scope) }
    }
}

// MARK: - Orders

extension InMemoryLeaseStore {
    /// Writes an order down.
    public func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try write(context, putsInOrder: false) { $0.place(order, claimUntil: claimUntil, context) }
    }

    /// Turns up to `limit` more leases that an order covers to revoking.
    public func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        try write(context) { table throws(StoreError) in try table.expand(order, limit: limit, context) }
    }

    /// Finds orders, also the newest 4,096 that are complete.
    public func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try read { table in ids.map { table.orders.find($0)?.order } }
    }

    /// Up to `limit` orders that are not complete or still closing, those not expanded first, then the oldest.
    public func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        try read { $0.orders.firstOpen(limit: limit) }
    }

    /// Lets an order that was closing admit new leases again.
    public func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try write(context) { $0.orders.reopen(order) }
    }
}

// MARK: - Mounts and time

extension InMemoryLeaseStore {
    /// Every mount that was ever registered and not removed.
    public func mounts() async throws -> StoreReply<[MountRegistration]> {
        try read { $0.registrations }
    }

    /// Registers a mount at a path where none is, or answers the one that is there.
    public func register(
        path: String,
        kind: String,
        _ context: StoreContext
    ) async throws -> StoreReply<MountRegistration> {
        try write(context) { $0.register(path: path, kind: kind) }
    }

    /// Changes a mount's fingerprint.
    public func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try write(context) { $0.adopt(fingerprint, for: mount, expected: expected) }
    }

    /// Forgets a mount that has no leases; false when it has some.
    public func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try write(context) { $0.unregister(mount) }
    }

    /// Reads a mount's own small state.
    public func loadState(_ mount: MountID, key: String) async throws -> StoreReply<MountState?> {
        try read { $0.loadState(mount, key: key) }
    }

    /// Writes a mount's own small state if its version is still `expectedVersion`; without bytes, deletes it.
    public func saveState(
        _ mount: MountID,
        key: String,
        expectedVersion: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<UInt64?> {
        try write(context) { $0.saveState(mount, key: key, expected: expectedVersion, bytes: bytes, due: due) }
    }

    /// Keeps the newest observed time, for the next start.
    public func record(_ time: ObservedTime) async throws {
        try table.withLock { table throws(StoreError) in
            try table.life.checkOpen()
            table.life.observed = time
        }
    }

    /// Begins a new epoch and forgets every doubt about being a restored copy.
    public func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64> {
        try write(context) { $0.beginEpoch(context) }
    }
}

// MARK: - In place

extension InMemoryLeaseStore: ImmediateStore {
    func insertNow(_ insertion: LeaseInsertion, _ context: StoreContext) throws -> LeaseChangeOutcome {
        if Task.isCancelled { throw Self.cancelled() }
        return try table.withLock { table throws(StoreError) in
            try table.life.check(context)
            return table.insert(insertion, context)
        }
    }

    func updateNow(_ id: LeaseID, _ update: LeaseUpdate, _ context: StoreContext) throws -> LeaseChangeOutcome {
        try table.withLock { table throws(StoreError) in
            try table.life.check(context)
            return table.apply(update, to: id, context)
        }
    }

    func placeNow(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) throws -> OrderPlacement {
        try table.withLock { table throws(StoreError) in
            try table.life.check(context)
            return table.place(order, claimUntil: claimUntil, context)
        }
    }

    func findNow(_ id: LeaseID) throws -> LeaseRecord? {
        if Task.isCancelled { throw Self.cancelled() }
        return table.withLock { $0.find(id) }
    }

    /// Not made in place, like everything in a call whose size only the runtime knows; see
    /// ``LeaseManager/demand(at:from:until:_:)``.
    @inline(never)
    private static func cancelled() -> any Error { CancellationError() }
}

// MARK: - The two ways in

extension InMemoryLeaseStore {
    /// - Parameter putsInOrder: Not for what looks itself whether a row is in hand; see ``MemoryTable/putInOrder()``.
    private func write<Value: Sendable>(
        _ context: StoreContext,
        putsInOrder: Bool = true,
        _ body: (MemoryTable) throws(StoreError) -> Value
    ) throws(StoreError) -> StoreReply<Value> {
        try table.withLock { table throws(StoreError) in
            try table.life.check(context)
            if putsInOrder { table.putInOrder() }
            return StoreReply(try body(table))
        }
    }

    private func read<Value: Sendable, Failure>(
        _ body: (MemoryTable) throws(Failure) -> Value
    ) throws -> StoreReply<Value> {
        if Task.isCancelled { throw CancellationError() }
        return try table.withLock { table throws(Failure) in
            table.putInOrder()
            return StoreReply(try body(table))
        }
    }
}

extension LeaseChange {
    fileprivate var isInsertion: Bool {
        if case .insert = self { true } else { false }
    }
}
