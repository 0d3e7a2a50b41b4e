// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// One virtual time, one target, and whatever backends a test puts on it.
struct World: Sendable {
    let time = VirtualTime()
    let target: InMemoryTarget
    let executor: SeededExecutor

    init(seed: UInt64 = 1) {
        target = InMemoryTarget(time: VirtualTime(sharing: time, wallOffset: .seconds(-5), name: "target"), seed: seed)
        executor = SeededExecutor(seed: seed, time: time)
    }

    func backend(
        abilities: BackendAbilities = BackendAbilities(isRenewable: true, endsByItself: true),
        roles: [String: InMemoryRole] = ["app": InMemoryRole()],
        pageSize: Int = 100,
        link: String = "",
        provesGone: Bool = false,
        crash: @escaping @Sendable (CrashStep) async throws -> Void = { _ in }
    ) -> InMemoryBackend {
        InMemoryBackend(
            target: target,
            time: time,
            roles: roles,
            abilities: abilities,
            pageSize: pageSize,
            link: link,
            provesGone: provesGone,
            entropy: .seeded(3),
            crash: crash
        )
    }

    /// A call for a lease of one hour that may take ten seconds.
    func call(
        _ lease: UInt64 = 1,
        deployment: String = "ours",
        expiresIn: Duration = .seconds(3600),
        timeout: Duration = .seconds(10),
        target: String? = nil
    ) -> BackendCall {
        let (id, now) = (LeaseID(high: 0, low: lease), time.wall)
        return BackendCall(
            id: id,
            path: "db/creds/app",
            rolePath: "creds/app",
            mark: LeaseMark(deployment: deployment, lease: id, epoch: 1),
            now: now,
            expiresAt: now + expiresIn,
            deadline: now + timeout,
            target: target
        )
    }

    /// Makes the credential of a lease; its handle alone, as the store would have it.
    func issue(_ lease: UInt64 = 1, on backend: InMemoryBackend) async throws -> InMemoryHandle {
        var handle = try backend.prepare("app", call(lease))
        _ = try await backend.issue("app", as: &handle, call(lease))
        return handle
    }

    func drive<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
        try executor.drive(timeLimit: .seconds(1_000_000), body)
    }
}
