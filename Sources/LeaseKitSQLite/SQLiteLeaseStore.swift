// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A lease store in a file: the lease table of one machine, on the system's SQLite.
///
/// A process that is killed at any instant comes back, knows every credential that it ever made, and ends those whose time is
/// over.
///
/// Give it to a manager: `LeaseManager(store: SQLiteLeaseStore(path: "/var/lib/app/leases.sqlite"))`.
///
/// One store has the file open at a time; a second one, in this process or another, is refused at once, and can take over as soon as
/// the first is closed or dead. A manager that is given a store which another one has open takes it over, and the calls of the other
/// one fail. Every answer waits until what it tells of is on the disk, and callers that come at the same time share one sync.
/// Opening takes as long with a million leases as with none.
///
/// Beside the file itself, wherever a link to it lies, are `-wal` (SQLite's log), `-lock` (who has it open) and `-epoch` (how far it
/// had come). Move or restore them together. No secret is in any of them.
public final class SQLiteLeaseStore: LeaseStore {
    /// What the store is and is not.
    public let traits: StoreTraits
    /// The database file.
    public let path: String
    let runner: Runner

    /// Makes a store on a file, which is made when it is not there.
    ///
    /// Does no I/O: the file is opened by the manager.
    public convenience init(path: String, options: Options = Options()) {
        self.init(
            path: path,
            options: options,
            hooks: CommitHooks(),
            entropy: .system,
            isInline: options.runsInPlace
        )
    }

    /// Makes a store whose calls run in place, and whose commits a test can step into.
    package init(
        path: String,
        options: Options = Options(),
        hooks: CommitHooks = CommitHooks(),
        entropy: LeaseEntropy = .system,
        isInline: Bool
    ) {
        self.path = path
        traits = StoreTraits(isDurable: true, isImmediate: isInline)
        runner = Runner(Engine(path: path, options: options, hooks: hooks, entropy: entropy), isInline: isInline)
    }

    /// Opens the file for one manager, and begins a new incarnation.
    public func open(at reading: TimeReading) async throws -> StoreOpening {
        try await runner.run(isAlone: true) { try $0.open(at: reading) }
    }

    /// Closes the file for one manager.
    public func close(_ incarnation: Incarnation) async {
        _ = try? await runner.run(isAlone: true) { $0.close(incarnation) }
    }

    /// Lets go of the file, whoever has it open: what the end of a process does, for tests.
    package func drop() async {
        _ = try? await runner.run(isAlone: true) { $0.drop() }
    }
}

// MARK: - Leases

extension SQLiteLeaseStore {
    /// Applies changes, each atomic alone, in order, and answers each one.
    public func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        if Task.isCancelled && changes.allSatisfy(\.isInsertion) { throw CancellationError() }
        return try await write(context) { table in try changes.map { try table.apply($0, context) } }
    }

    /// Hands out due leases of one mount.
    public func claimDue(
        _ request: ClaimRequest,
        _ context: StoreContext
    ) async throws -> StoreReply<[ClaimedLease]> {
        try await write(context) { try $0.claimDue(request, context) }
    }

    /// When each mount has something due next; nil for nothing.
    public func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]> {
        try await read { table in try mounts.map { try table.nextDue($0, scope) } }
    }

    /// Finds leases by id; nil for one that is not there.
    public func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> {
        try await read { table in try ids.map { try table.row($0)?.record } }
    }

    /// Reads one page of leases: by path and sequence; the children of a lease, what an order covers, and those of an owner or in
    /// an unusual state by sequence.
    public func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        try await read { try $0.page(query, after: cursor, limit: limit) }
    }

    /// Counts leases by state.
    public func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> {
        try await read { try $0.counts(scope) }
    }
}

// MARK: - Orders

extension SQLiteLeaseStore {
    /// Writes an order down.
    public func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try await write(context) { try $0.place(order, claimUntil: claimUntil, context) }
    }

    /// Turns up to `limit` more leases that an order covers to revoking.
    public func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        try await write(context) { try $0.expand(order, limit: limit, context) }
    }

    /// Finds orders, also the newest 4,096 that are complete.
    public func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try await read { table in try ids.map { try table.orderEntry($0)?.order } }
    }

    /// Up to `limit` orders that are not complete or still closing, those not expanded first, then the oldest.
    public func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        try await read { try $0.openOrders(limit: limit) }
    }

    /// Lets an order that was closing admit new leases again.
    public func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await write(context) { try $0.reopen(order) }
    }
}
