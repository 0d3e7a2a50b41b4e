// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How orphans are looked for.
public struct SweepOptions: Hashable, Sendable {
    /// Looks and reports, and ends nothing.
    public var isDryRun: Bool
    /// How old a credential must be before it counts as an orphan.
    public var grace: Duration
    /// Who asks, and why.
    public var cause: LeaseCause

    /// Makes options.
    public init(
        isDryRun: Bool = false,
        grace: Duration = .seconds(600),
        cause: LeaseCause = LeaseCause(.orphaned)
    ) {
        self.isDryRun = isDryRun
        self.grace = grace
        self.cause = cause
    }
}

/// What a sweep found.
public struct SweepReport: Hashable, Sendable {
    /// How many credentials bear this deployment's mark.
    public internal(set) var examined = 0
    /// How many of them a lease names.
    public internal(set) var known = 0
    /// How many are too young, or of unknown age.
    public internal(set) var tooYoung = 0
    /// How many were made by another copy of this table.
    public internal(set) var foreignEpoch = 0
    /// How many orphans were found.
    public internal(set) var orphans = 0
    /// How many of them were ended.
    public internal(set) var ended = 0
    /// How many could not be ended this time.
    public internal(set) var failed = 0
    /// The marks of the orphans: at most a hundred.
    public internal(set) var found: [LeaseMark] = []
}

extension LeaseManager {
    /// Looks for credentials at a mount's target that bear our mark and that no lease names, and ends them.
    ///
    /// There are none unless a target applies a request very late, or a store was lost. Only marks of this deployment are
    /// looked at, only of epochs that this store has lived, only older than a grace, and each one is looked up again at the
    /// moment of ending it.
    ///
    /// - Throws: ``LeaseError``; a volatile store and a manager in hold-off refuse.
    public func sweepOrphans(ofMountAt path: String, _ options: SweepOptions = SweepOptions()) async throws
        -> SweepReport
    {
        let opening = try await openedForChange()
        let mount = try mounts.at(path)
        try refuseSweep(of: mount)
        if mount.abilities.callStyle == .suspending {
            try await lifecycle.requireRunning(within: configuration.startTimeout, clock.time)
        }
        var report = SweepReport()
        var cursor: String?
        repeat {
            let page = try await inventory(of: mount, deployment(opening), after: cursor)
            try noteWitnesses(page, opening)
            try refuseSweep(of: mount)
            try await sweep(page, of: mount, options, &report)
            cursor = page.next
        } while cursor != nil
        return report
    }

    private func refuseSweep(of mount: MountRuntime) throws {
        guard mount.backend.canListInventory else {
            throw LeaseError(
                .abilityMissing,
                "backend \(mount.backend.kind) cannot list its credentials; conform it to InventoryListing to sweep"
            )
        }
        guard ledger.store.traits.isDurable else {
            throw LeaseError(
                .volatileStoreRefused,
                "this store forgets its leases in a crash, so it cannot tell orphans from leases of others; use a durable one"
            )
        }
        if holdOff.isActive {
            throw LeaseError(
                .heldOff,
                "the manager is held off (\(holdOff.reasons.map(\.description).joined(separator: "; "))); resume it first"
            )
        }
    }

    private func inventory(
        of mount: MountRuntime,
        _ deployment: String,
        after cursor: String?
    ) async throws -> ErasedInventoryPage {
        let timeout = mount.settings.issueTimeout
        let begin = clock.moment()
        let deadline = begin.continuous + timeout
        let backend = mount.backend
        return try await demand(at: mount, from: begin, until: deadline) { place in
            let call = try await managementCall(at: mount, timeout: timeout)
            do {
                return try await place.call(until: deadline) {
                    try await backend.inventory(of: deployment, after: cursor, call)
                }
            } catch {
                let failure = BackendFailure(reading: error, during: .other)
                note(failure, at: mount)
                throw LeaseError(failure, doing: "list its credentials", at: mount, lease: nil)
            }
        }
    }

    /// Credentials of ours that are newer than anything this store knew when it was opened tell of another copy.
    private func noteWitnesses(_ page: ErasedInventoryPage, _ opening: OpenedStore) throws {
        guard let newest = opening.observed?.time, let lived = ledger.opening?.livedEpochs else { return }
        let hasWitness = page.items.contains { item in
            guard item.mark.deployment == deployment(opening), let madeAt = item.madeAt else { return false }
            return !lived.contains(item.mark.epoch) && madeAt > newest
        }
        if hasWitness {
            beginHoldOff(.doubt(StoreDoubt("the target has credentials of this deployment that another copy made")))
        }
    }

    private func sweep(
        _ page: ErasedInventoryPage,
        of mount: MountRuntime,
        _ options: SweepOptions,
        _ report: inout SweepReport
    ) async throws {
        guard let opening = ledger.opening else { return }
        let ours = page.items.filter { $0.mark.deployment == deployment(opening) }
        let records = try await ledger.ask { try await $0.find(ours.map(\.mark.lease)) }
        let now = clock.now
        for (item, record) in zip(ours, records) {
            report.examined += 1
            if record != nil {
                report.known += 1
            } else if !opening.livedEpochs.contains(item.mark.epoch) {
                report.foreignEpoch += 1
            } else if item.madeAt.map({ $0 + options.grace > now }) ?? true {
                report.tooYoung += 1
            } else {
                report.orphans += 1
                if report.found.count < 100 { report.found.append(item.mark) }
                publish(
                    LeaseEvent(.orphanFound, at: now, lease: item.mark.lease, path: mount.path, cause: options.cause)
                )
                if !options.isDryRun { await end(item, of: mount, options, &report) }
            }
        }
    }

    /// Whether no lease of this id is there; not known counts as no.
    private func isUnknown(_ id: LeaseID) async -> Bool {
        do { return try await ledger.find(id) == nil } catch { return false }
    }

    private func end(
        _ item: ErasedInventoryPage.Item,
        of mount: MountRuntime,
        _ options: SweepOptions,
        _ report: inout SweepReport
    ) async {
        // Looked up again now: the page may be old by the time it comes to this one.
        let timeout = mount.settings.revokeTimeout
        let moment = clock.moment()
        guard await isUnknown(item.mark.lease), mount.gate.withLock({ $0.enter(.revocation, at: moment.now) }) == nil
        else {
            report.failed += 1
            return
        }
        let call = BackendCall(
            id: item.mark.lease,
            path: mount.path,
            rolePath: "",
            mark: item.mark,
            now: moment.now,
            expiresAt: moment.now,
            deadline: moment.now + timeout,
            target: mount.fingerprint,
            cause: options.cause
        )
        let backend = mount.backend
        do {
            let outcome = try await callBackend(mount, .revocation, until: moment.continuous + timeout) {
                try await backend.revoke(item.handle, call)
            }
            noteSuccess(at: mount)
            guard outcome == .revoked else { return }
            report.ended += 1
            publish(
                LeaseEvent(.orphanEnded, at: clock.now, lease: item.mark.lease, path: mount.path, cause: options.cause)
            )
        } catch {
            note(BackendFailure(reading: error, during: .revoke), at: mount)
            report.failed += 1
        }
    }
}
