// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What backends are told with a call.
extension LeaseManager {
    /// A call that is about the mount and not about a lease.
    func managementCall(at mount: MountRuntime, timeout: Duration) async throws -> BackendCall {
        let opening = try await opened()
        let now = clock.now
        let nobody = LeaseID(high: 0, low: 0)
        return BackendCall(
            id: nobody,
            path: mount.path,
            rolePath: "",
            mark: LeaseMark(
                deployment: deployment(opening),
                lease: nobody,
                epoch: ledger.opening?.epoch ?? opening.epoch
            ),
            now: now,
            expiresAt: now,
            deadline: now + timeout,
            target: mount.fingerprint
        )
    }

    /// A call about a lease that is there.
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
            id: record.id,
            path: record.path,
            rolePath: mount.rolePath(of: record.path),
            mark: LeaseMark(
                deployment: opening.map(deployment) ?? "",
                lease: record.id,
                epoch: opening?.epoch ?? 0
            ),
            now: now,
            expiresAt: expiresAt ?? record.expiresAt,
            deadline: now + timeout,
            attempt: Int(record.attempts),
            role: record.role,
            target: mount.fingerprint,
            claim: record.claim,
            cause: cause ?? record.cause ?? LeaseCause(.requested)
        )
    }
}
