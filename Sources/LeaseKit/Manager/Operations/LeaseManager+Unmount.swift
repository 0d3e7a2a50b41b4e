// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What becomes of a mount's leases when it is unmounted.
public enum UnmountPolicy: Hashable, Sendable {
    /// The mount stays when it has any.
    case refuse
    /// They are revoked first; the mount stays when that is not done in time.
    case revoke(wait: Duration)
    /// They stay in the store and wait until the same kind of backend is mounted there again.
    case leave
}

extension LeaseManager {
    /// Takes a backend off its path.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/mountInUse`` when leases are left that the policy does not allow.
    public func unmount(
        at path: String,
        leases policy: UnmountPolicy = .refuse,
        cause: LeaseCause = LeaseCause(.unmounted)
    ) async throws {
        _ = try await openedForChange()
        let mount = try mounts.at(path)
        if policy == .leave {
            mounts.remove(mount)
            return
        }
        var order: RevocationOrderID?
        if case .revoke(let wait) = policy {
            // Closing, so that nothing new comes in while the old ones go.
            let options = RevokeOptions(cause: cause, isClosing: true, wait: wait)
            order = try await revoke(.mount(mount.id), options).order
        }
        let context = ledger.context(cause)
        guard try await ledger.ask({ try await $0.unregister(mount.id, context) }) else {
            if let order { try await reopen(order, cause: cause) }
            let left = try await counts(.mount(mount.id))
            throw LeaseError(
                .mountInUse,
                "mount \"\(path)\" still has \(left.total) leases; revoke them first, unmount with .revoke(wait:), or leave "
                    + "them in the store with .leave"
            )
        }
        mounts.remove(mount)
    }

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
        let before = mount.fingerprint
        var call = try await managementCall(at: mount, timeout: mount.settings.renewTimeout)
        call.target = nil
        let found: String?
        do {
            found = try await askTarget(mount, call)
        } catch {
            throw LeaseError(BackendFailure(reading: error, during: .other), at: mount)
        }
        let context = ledger.context(cause)
        guard try await ledger.ask({ try await $0.adopt(found, for: mount.id, expected: before, context) }) else {
            throw LeaseError(
                .storeRefused,
                "the target of mount \"\(path)\" was adopted by somebody else at the same time; look again"
            )
        }
        mount.fingerprint = found
        mount.gate.withLock { $0.identity = .confirmed }
        noteSuccess(at: mount)
        publish(LeaseEvent(.targetAdopted, at: clock.now, path: path, cause: cause, note: found))
        alarm.ring()
        return found
    }
}
