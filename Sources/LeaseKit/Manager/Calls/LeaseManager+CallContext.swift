// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What backends are told with a call.
extension LeaseManager {
    /// A call that is about the mount and not about a lease.
    func managementCall(at mount: MountRuntime, timeout: Duration) async throws -> BackendCall {
        if !ledger.isOpen { _ = try await opened() }
        let now = clock.now
        let nobody = LeaseID(high: 0, low: 0)
        return BackendCall(
            id: nobody,
            path: mount.path,
            rolePath: "",
            mark: mark(of: nobody),
            now: now,
            expiresAt: now,
            deadline: now + timeout,
            target: mount.fingerprint,
            start: start
        )
    }

    /// Which start of this manager backends are told of.
    var start: ManagerStart? { ledger.opening.map { start($0) } }

    private func start(_ opening: OpenedStore) -> ManagerStart {
        ManagerStart(opening.incarnation, isAlone: ledger.isExclusive)
    }

    /// What the credential of a lease bears at its target, in the life of the store as it is now.
    ///
    /// The store has been opened.
    func mark(of lease: LeaseID) -> LeaseMark {
        guard let opening = ledger.opening else { return LeaseMark(deployment: "", lease: lease, epoch: 0) }
        return mark(of: lease, opening)
    }

    private func mark(of lease: LeaseID, _ opening: OpenedStore) -> LeaseMark {
        LeaseMark(deployment: deployment(opening), lease: lease, epoch: opening.epoch)
    }

    /// A call about a lease that is there.
    ///
    /// Never put where it is used: it would be made there and copied once more for the backend.
    @inline(never)
    func call(
        for record: LeaseRecord,
        at mount: MountRuntime,
        now: LeaseInstant,
        timeout: Duration,
        expiresAt: LeaseInstant? = nil,
        cause: LeaseCause? = nil
    ) -> BackendCall {
        let opening = ledger.opening
        return BackendCall(
            about: record,
            at: mount.path,
            mark: opening.map { mark(of: record.id, $0) } ?? mark(of: record.id),
            now: now,
            expiresAt: expiresAt ?? record.expiresAt,
            deadline: now + timeout,
            target: mount.fingerprint,
            cause: cause ?? record.cause ?? LeaseCause(.requested),
            start: opening.map { start($0) }
        )
    }
}
