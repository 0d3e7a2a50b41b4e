// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The store of one process, with a checker that sees every change: what was before, what was asked, what came of it.
///
/// It stands behind everything that a simulated process can reach, so it knows what is really written. What a failing disk
/// leaves open it finds out at the next call, before anything else is done.
///
/// Unchecked, because a simulated run has one thread.
final class AuditedStore: ForwardingLeaseStore, @unchecked Sendable {
    let disk: any SimulatedDisk
    let deployment: Int
    let checker: InvariantChecker
    /// Called when the power went during a call.
    var didLosePower: () -> Void = {}
    /// Whether a manager has the store open, so that it can be read.
    private(set) var isOpen = false

    init(_ store: any LeaseStore, on disk: any SimulatedDisk, deployment: Int, checker: InvariantChecker) {
        self.disk = disk
        self.deployment = deployment
        self.checker = checker
        super.init(store)
    }

    /// Makes a call that changes something.
    private func watched<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        // The power may have gone whatever comes of it.
        defer { noticePower() }
        try await resolveDoubts()
        do {
            return try await body()
        } catch {
            checker.needsRefresh[deployment] = true
            throw error
        }
    }

    private func noticePower() {
        if !disk.hasPower { didLosePower() }
    }

    override func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        if Task.isCancelled { return try await applyWhileCancelled(changes, context) }
        return try await watched {
            var befores: [LeaseID: LeaseRecord] = [:]
            let involved = changes.map(\.lease) + changes.compactMap(\.parent)
            for (id, record) in zip(involved, try await base.find(involved).value) { befores[id] = record }
            let parents = befores
            let reply: StoreReply<[LeaseChangeOutcome]>
            do {
                reply = try await base.apply(changes, context)
            } catch {
                if Task.isCancelled && error is CancellationError { throw error }
                for change in changes {
                    let doubt = Doubt(
                        change,
                        befores[change.lease],
                        change.parent.flatMap { parents[$0] },
                        context,
                        error
                    )
                    checker.doubts[deployment].append(doubt)
                }
                throw error
            }
            for (change, outcome) in zip(changes, reply.value) {
                let before = befores[change.lease]
                let parent = change.parent.flatMap { parents[$0] }
                checker.didApply(change, before: before, parent: parent, outcome, context, in: deployment)
                if let record = outcome.record { befores[change.lease] = record }
            }
            // Only now: an ancestor may be one of those that were changed with it.
            do {
                for record in parents.values.sorted(by: { $0.id < $1.id }) { try await refreshAncestors(of: record) }
            } catch {
                checker.needsRefresh[deployment] = true
            }
            return reply
        }
    }

    /// Reads look at cancellation, so the change is audited by what it answers alone.
    private func applyWhileCancelled(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        checker.needsRefresh[deployment] = true
        let reply: StoreReply<[LeaseChangeOutcome]>
        do {
            reply = try await base.apply(changes, context)
        } catch {
            noticePower()
            if !(error is CancellationError) {
                // What was before is not known; that an update was done shows in its mark.
                checker.doubts[deployment] += changes.map { Doubt($0, nil, nil, context, error) }
            }
            throw error
        }
        noticePower()
        for (change, outcome) in zip(changes, reply.value) {
            checker.didApply(change, before: nil, parent: nil, outcome, context, in: deployment)
        }
        return reply
    }

    override func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try await resolveDoubtsUnlessCancelled()
        checker.needsRefresh[deployment] = true
        let reply: StoreReply<OrderPlacement>
        do {
            reply = try await base.place(order, claimUntil: claimUntil, context)
        } catch {
            checker.doubtfulOrders[deployment].append(order.id)
            noticePower()
            throw error
        }
        checker.didPlace(reply.value, context, in: deployment)
        noticePower()
        if !Task.isCancelled { await tryToRefresh() }
        return reply
    }

    override func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        let reply = try await watched { try await base.expand(order, limit: limit, context) }
        checker.needsRefresh[deployment] = true
        await tryToRefresh()
        return reply
    }

    override func claimDue(
        _ request: ClaimRequest,
        _ context: StoreContext
    ) async throws -> StoreReply<[ClaimedLease]> {
        let reply = try await watched { try await base.claimDue(request, context) }
        for claimed in reply.value { checker.didClaim(claimed, request, context, in: deployment) }
        return reply
    }

    override func open(at reading: TimeReading) async throws -> StoreOpening {
        checker.needsRefresh[deployment] = true
        do {
            let opening = try await base.open(at: reading)
            isOpen = true
            checker.didOpen(opening, in: deployment)
            noticePower()
            return opening
        } catch {
            noticePower()
            throw error
        }
    }

    override func close(_ incarnation: Incarnation) async {
        await tryToRefresh()
        isOpen = false
        await base.close(incarnation)
        noticePower()
    }

    /// What other targets hold is given up with this.
    override func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try await watched {
            let path = try await base.mounts().value.first { $0.id == mount }?.path
            func didAdopt() {
                guard let path, fingerprint != expected else { return }
                let held = checker.names(heldBy: fingerprint)
                checker.excuseAll(in: deployment, "its target was given up") {
                    LeasePath.lies($0.path, under: path) && $0.state != nil && !held.contains($0.name)
                }
            }
            do {
                let reply = try await base.adopt(fingerprint, for: mount, expected: expected, context)
                if reply.value { didAdopt() }
                return reply
            } catch {
                // Perhaps it was written.
                didAdopt()
                throw error
            }
        }
    }

    // What a manager reads after a lost answer it may tell of at once, so the checker has to know it before.

    override func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> {
        try await resolveDoubtsUnlessCancelled()
        return try await base.find(ids)
    }

    override func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try await resolveDoubtsUnlessCancelled()
        return try await base.orders(ids)
    }

    override func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        try await resolveDoubtsUnlessCancelled()
        return try await base.page(query, after: cursor, limit: limit)
    }

    private func resolveDoubtsUnlessCancelled() async throws {
        if !Task.isCancelled { try await resolveDoubts() }
    }

    private func refreshAncestors(of record: LeaseRecord) async throws {
        var next = record.parent
        while let id = next {
            let found = try await base.find([id]).value[0]
            checker.didSee(found, id, in: deployment)
            next = found?.parent
        }
    }

    // MARK: - Looking at the table

    /// Finds out what became of calls that failed.
    private func resolveDoubts() async throws {
        guard isOpen else { return }
        defer { noticePower() }
        let orders = checker.doubtfulOrders[deployment]
        if !orders.isEmpty {
            let found = try await base.orders(orders).value
            checker.doubtfulOrders[deployment] = []
            // Nobody knows when it was placed: parents need not wait for it.
            for case let order? in found { checker.placed[order.id] = checker.placed[order.id] ?? .distantPast }
        }
        while let doubt = checker.doubts[deployment].first {
            let found = try await base.find([doubt.change.lease]).value[0]
            checker.doubts[deployment].removeFirst()
            checker.didResolve(doubt, found, in: deployment)
        }
    }

    /// Reads everything again that the checker believes to be there; a record that nobody saw come is a violation.
    ///
    /// Later, when the disk fails or nobody has the store open.
    func tryToRefresh() async {
        noticePower()
        guard checker.needsRefresh[deployment], isOpen, !Task.isCancelled, disk.hasPower else { return }
        defer { noticePower() }
        do { try await refresh() } catch { checker.needsRefresh[deployment] = true }
    }

    private func refresh() async throws {
        try await resolveDoubts()
        var records: [LeaseRecord] = []
        var cursor: LeaseCursor?
        repeat {
            let page = try await base.page(.all, after: cursor, limit: 500).value
            records += page.records
            cursor = page.next
        } while cursor != nil
        checker.needsRefresh[deployment] = false
        var seen: Set<LeaseID> = []
        for record in records {
            seen.insert(record.id)
            checker.didSee(record, record.id, in: deployment)
        }
        for id in checker.recorded(in: deployment) where !seen.contains(id) {
            checker.didSee(nil, id, in: deployment)
        }
    }
}

/// A change of which nobody knows yet whether it was made.
struct Doubt: Sendable {
    let change: LeaseChange
    let before: LeaseRecord?
    let parent: LeaseRecord?
    let context: StoreContext
    /// What the store said.
    let kind: StoreError.Kind?

    init(
        _ change: LeaseChange,
        _ before: LeaseRecord?,
        _ parent: LeaseRecord?,
        _ context: StoreContext,
        _ error: any Error
    ) {
        self.change = change
        self.before = before
        self.parent = parent
        self.context = context
        kind = (error as? StoreError)?.kind
    }
}

extension LeaseChange {
    /// The parent that a new lease shall have.
    fileprivate var parent: LeaseID? {
        if case .insert(let insertion) = self { insertion.parent } else { nil }
    }
}
