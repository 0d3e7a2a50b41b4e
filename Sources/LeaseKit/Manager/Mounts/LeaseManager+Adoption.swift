// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which target a mount belongs to, as an operator says, or another manager on the same store whose operator said so.
extension LeaseManager {
    /// Accepts the target that answers now as the one that a mount belongs to.
    ///
    /// After a failover or a move. Leases of the old target are then ended at the new one: whatever is not there counts as
    /// gone.
    ///
    /// - Returns: The fingerprint that was adopted; nil for a backend that cannot tell its targets apart.
    @discardableResult
    public func adoptTarget(
        at path: String,
        cause: LeaseCause = LeaseCause(.requested)
    ) async throws -> String? {
        _ = try await openedForChange()
        let mount = try mounts.at(path)
        if mount.abilities.callStyle == .suspending {
            try await lifecycle.requireRunning(within: configuration.startTimeout, clock.time)
        }
        // As the store has it: an adoption whose answer was lost may have been written.
        let before = try await ledger.ask { try await $0.mounts() }.first { $0.id == mount.id }?.fingerprint
        var call = try await managementCall(at: mount, timeout: mount.settings.renewTimeout)
        call.target = nil
        let found: String?
        do {
            found = try await askTarget(mount, call)
        } catch let error as CancellationError {
            // Whoever asked went away: that says nothing about the target.
            throw error
        } catch {
            throw LeaseError(BackendFailure(reading: error, during: .other), at: mount)
        }
        let context = ledger.context(cause)
        let isAdopted: Bool
        do {
            isAdopted = try await ledger.ask { try await $0.adopt(found, for: mount.id, expected: before, context) }
        } catch {
            // It may have been written: until that is known nothing is called.
            mount.doubtTarget()
            throw error
        }
        // Where others work on the same store, one of them may have adopted it before.
        if !isAdopted, await !isTarget(found, of: mount) {
            throw LeaseError(
                .storeRefused,
                "the target of mount \"\(path)\" was adopted by somebody else at the same time; look again"
            )
        }
        mount.settleTarget(found)
        mount.gate.withLock { $0.identity = .confirmed }
        noteSuccess(at: mount)
        publish(LeaseEvent(.targetAdopted, at: clock.now, path: path, cause: cause, note: found))
        alarm.ring()
        return found
    }

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
    @inline(never)
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
        return .failure(.targetGivenUp)
    }
}

extension BackendFailure {
    /// Another manager on the same store adopted another target than the one that a call was or would be about.
    static let targetGivenUp = BackendFailure(
        .transient,
        scope: .target,
        code: "targetAdopted",
        "another target was adopted for the mount, or the store did not say which one it is"
    )
}
