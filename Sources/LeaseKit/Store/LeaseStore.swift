// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The lease table: where every lease is written down before its credential exists.
///
/// The manager keeps no second copy, so a store is asked for everything: what is due, what belongs to whom, what an order
/// covers. Writes are array-shaped; each change in an array is atomic alone and answered one by one.
///
/// The rules of what a change does are not the store's business: it reads a row, lets ``LeaseRecord/apply(_:_:_:)`` and
/// its neighbours decide, and writes the row back, all in one transaction. `LeaseKitTesting` has a conformance suite that
/// runs every store against a model.
///
/// Contract for every call:
/// - It throws ``StoreError`` and nothing else, but for `CancellationError` from calls that only read or insert, and then
///   before they began. Nothing else ever looks at cancellation.
/// - After ``StoreError/Kind/refused`` and ``StoreError/Kind/unavailable`` nothing was done; after
///   ``StoreError/Kind/unknown`` it may have been, and ``find(_:)`` tells by ``LeaseRecord/operation``.
/// - Times come in by ``StoreContext/now``. A store with a clock of its own uses that one and says so in every reply.
public protocol LeaseStore: Sendable {
    /// What the store is and is not.
    var traits: StoreTraits { get }

    /// Opens the table for one manager, and begins a new incarnation.
    ///
    /// On a store with one owner, pendings and claims of earlier incarnations become due at once.
    func open(at reading: TimeReading) async throws -> StoreOpening
    /// Closes it for one manager.
    ///
    /// Calls of it that come later throw ``StoreError/Kind/unavailable``. A manager that lost the store to a later one closes
    /// nothing.
    func close(_ incarnation: Incarnation) async

    /// Applies changes, each atomic alone, in order, and answers each one.
    func apply(_ changes: [LeaseChange], _ context: StoreContext) async throws -> StoreReply<[LeaseChangeOutcome]>

    /// Writes an order down, O(1). From this moment everything it covers counts as revoking.
    ///
    /// An order about one lease takes effect on it at once; with `claimUntil`, a lease that nothing hangs on and that
    /// nobody has claimed is handed to the caller in the same step.
    func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement>
    /// Turns up to `limit` more leases that an order covers to revoking, and everything below each of them.
    func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder>
    /// Finds orders, also completed ones for a while; nil for one that is not known (any more).
    func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]>
    /// Up to `limit` orders that are not complete or still closing: those not expanded first, then the oldest.
    func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]>
    /// Lets an order that was closing admit new leases again.
    func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool>

    /// Hands out due leases of one mount: ordered ones first, then the longest overdue; children before parents.
    ///
    /// Each is claimed until `lapsesAt`, re-checked in the same step (an active one whose time is over turns revoking, a
    /// pending one turns settling), and never one with a child that needs its parent.
    func claimDue(_ request: ClaimRequest, _ context: StoreContext) async throws -> StoreReply<[ClaimedLease]>
    /// When each mount has something due next; nil for nothing.
    func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]>

    /// Finds leases by id; nil for one that is not there.
    func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]>
    /// Reads one page of leases. A cursor of another query or store throws ``LeaseError/Code/invalidCursor``.
    func page(_ query: LeaseQuery, after cursor: LeaseCursor?, limit: Int) async throws -> StoreReply<LeasePage>
    /// Counts leases by state.
    func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts>

    /// Every mount that was ever registered and not removed.
    func mounts() async throws -> StoreReply<[MountRegistration]>
    /// Registers a mount at a path where none is, or answers the one that is there.
    func register(path: String, kind: String, _ context: StoreContext) async throws -> StoreReply<MountRegistration>
    /// Changes a mount's fingerprint. Refused when it is not `expected` any more.
    func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool>
    /// Forgets a mount that has no leases; false when it has some.
    func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool>

    /// Reads a mount's own small state.
    func loadState(_ mount: MountID, key: String) async throws -> StoreReply<MountState?>
    /// Writes it if its version is still `expectedVersion` (0: absent). Answers the new version, or nil when it lost.
    func saveState(
        _ mount: MountID,
        key: String,
        expectedVersion: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<UInt64?>

    /// Keeps the newest observed time, for the next start.
    func record(_ time: ObservedTime) async throws
    /// Begins a new epoch and forgets every doubt about being a restored copy.
    func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64>
}
