// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Looks for credentials at a mount's target that bear our mark and that no lease names, and ends them.
    ///
    /// There are none unless a target applies a request very late, or a store was lost. Only marks of this deployment are
    /// looked at, only of epochs that this store has lived, only older than a grace. The whole list is read before anything is
    /// ended: one credential in it that another copy of this store must have made puts all of them in doubt, and the manager
    /// in hold-off. Each orphan is looked up again at the moment of ending it. At most ``maximumOrphans`` are ended at a time.
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
        var orphans: [ErasedInventoryPage.Item] = []
        var cursor: String?
        repeat {
            let page = try await inventory(of: mount, deployment(opening), after: cursor)
            let ours = try await ofOurs(page)
            noteWitnesses(ours)
            try refuseWhileHeldOff()
            orphans += sort(ours, of: mount, options, &report)
            cursor = page.next
        } while cursor != nil
        if options.isDryRun { return report }
        report.failed += report.orphans - orphans.count
        for orphan in orphans {
            try refuseWhileHeldOff()
            try await end(orphan, of: mount, options, &report)
        }
        return report
    }

    /// The most orphans that one sweep ends; those beyond count as failed, and the next sweep finds them.
    public static var maximumOrphans: Int { 100_000 }

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
        try refuseWhileHeldOff()
    }

    private func refuseWhileHeldOff() throws {
        guard holdOff.isActive else { return }
        throw LeaseError(
            .heldOff,
            "the manager is held off (\(holdOff.reasons.map(\.description).joined(separator: "; "))); resume it first"
        )
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
            } catch let error as CancellationError {
                // Whoever asked went away: that says nothing about the target.
                throw error
            } catch {
                let failure = BackendFailure(reading: error, during: .other)
                note(failure, at: mount)
                throw LeaseError(failure, doing: "list its credentials", at: mount, lease: nil)
            }
        }
    }

    /// Counts what a page shows; answers the orphans in it.
    private func sort(
        _ ours: [ListedCredential],
        of mount: MountRuntime,
        _ options: SweepOptions,
        _ report: inout SweepReport
    ) -> [ErasedInventoryPage.Item] {
        guard let opening = ledger.opening else { return [] }
        let now = clock.now
        var orphans: [ErasedInventoryPage.Item] = []
        for (item, isKnown) in ours {
            report.examined += 1
            if isKnown {
                report.known += 1
            } else if !opening.livedEpochs.contains(item.mark.epoch) {
                report.foreignEpoch += 1
            } else if item.madeAt.map({ $0 + options.grace > now }) ?? true {
                report.tooYoung += 1
            } else {
                report.orphans += 1
                if report.found.count < 100 { report.found.append(item.mark) }
                if report.orphans <= Self.maximumOrphans { orphans.append(item) }
                publish(
                    LeaseEvent(.orphanFound, at: now, lease: item.mark.lease, path: mount.path, cause: options.cause)
                )
            }
        }
        return orphans
    }

    /// Whether no lease of this id is there; not known counts as no.
    private func isUnknown(_ id: LeaseID) async throws -> Bool {
        do {
            return try await ledger.find(id) == nil
        } catch let error as CancellationError {
            throw error
        } catch {
            return false
        }
    }

    private func end(
        _ item: ErasedInventoryPage.Item,
        of mount: MountRuntime,
        _ options: SweepOptions,
        _ report: inout SweepReport
    ) async throws {
        // Looked up again now: the list may be old by the time it comes to this one.
        let timeout = mount.settings.revokeTimeout
        let moment = clock.moment()
        guard try await isUnknown(item.mark.lease),
            mount.gate.withLock({ $0.enter(.revocation, at: moment.now) }) == nil
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
            cause: options.cause,
            start: start
        )
        let backend = mount.backend
        do {
            let outcome = try await callBackend(mount, .revocation, until: moment.continuous + timeout) {
                try await backend.revoke(item.handle, call)
            }
            noteSuccess(at: mount)
            report.count(outcome)
            guard outcome == .revoked else { return }
            publish(
                LeaseEvent(.orphanEnded, at: clock.now, lease: item.mark.lease, path: mount.path, cause: options.cause)
            )
        } catch let error as CancellationError {
            throw error
        } catch {
            let failure = BackendFailure(reading: error, during: .revoke)
            note(failure, at: mount)
            if failure.kind == .gone { report.alreadyGone += 1 } else { report.failed += 1 }
        }
    }
}
