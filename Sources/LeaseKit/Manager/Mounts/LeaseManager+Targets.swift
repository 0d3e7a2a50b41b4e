// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which target a mount belongs to, where several managers work on one store and each may adopt another.
extension LeaseManager {
    /// Takes over what other managers adopted.
    func follow(_ registrations: [MountRegistration]) {
        for registration in registrations { mounts[registration.id]?.follow(registration.fingerprint) }
    }

    /// Whether a mount belongs to a target by what the store says now.
    ///
    /// A store with one manager is not asked: it says what the mount says. No answer is no.
    func isTarget(_ fingerprint: String?, of mount: MountRuntime) async -> Bool {
        if ledger.store.traits.isExclusive { return mount.fingerprint == fingerprint }
        guard let registrations = try? await ledger.ask({ try await $0.mounts() }),
            let registration = registrations.first(where: { $0.id == mount.id })
        else { return false }
        mount.follow(registration.fingerprint)
        return registration.fingerprint == fingerprint
    }

    /// What a target's answer on a credential is worth.
    ///
    /// That nothing of ours is there counts only at the target that the mount belongs to. Another manager may have adopted
    /// another one since the question was sent off, with leases made there: then nothing was learnt, and it is asked again.
    func weigh(
        _ result: Result<RevocationOutcome, BackendFailure>,
        from target: String?,
        of mount: MountRuntime
    ) async -> Result<RevocationOutcome, BackendFailure> {
        let saysNothingThere =
            switch result {
            case .success(.alreadyGone), .success(.provenGone), .success(.notOurs): true
            case .success: false
            case .failure(let failure): failure.kind == .gone
            }
        if !saysNothingThere || ledger.store.traits.isExclusive { return result }
        if await isTarget(target, of: mount) { return result }
        let message = "another target was adopted while this one was asked"
        return .failure(BackendFailure(.transient, scope: .target, code: "targetAdopted", message))
    }
}
