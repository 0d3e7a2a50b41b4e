// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What becomes of a mount's leases when it is unmounted.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum UnmountPolicy: Hashable, Sendable {
    /// The mount stays when it has any.
    case refuse
    /// They are revoked first; the mount stays when that is not done in time.
    case revoke(wait: Duration)
    /// They stay in the store and wait until the same kind of backend is mounted there again.
    ///
    /// Refused over a volatile store when there are any: it would forget them before that, and nobody would end them.
    case leave
}

extension LeaseManager {
    /// Takes a backend off its path.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/mountInUse`` when leases are left that the policy does not allow;
    ///   with code ``LeaseError/Code/volatileStoreRefused`` when they would be left in a store that forgets them.
    public func unmount(
        at path: String,
        leases policy: UnmountPolicy = .refuse,
        cause: LeaseCause = LeaseCause(.unmounted)
    ) async throws {
        _ = try await openedForChange()
        let mount = try mounts.at(path)
        // No new demand from here: a lease that is inserted behind a mount's back would never be served again.
        mount.gate.withLock { $0.isUnmounting = true }
        mount.callNext()
        do {
            if policy == .leave { try await refuseToLose(mount) } else { try await forget(mount, policy, cause) }
            mounts.remove(mount)
        } catch {
            // After a lost answer the mount may be forgotten already: nothing goes in until this is called again.
            let isOpen = (error as? LeaseError)?.code != .storeUnknown
            if isOpen { mount.gate.withLock { $0.isUnmounting = false } }
            throw error
        }
    }

    /// A volatile store has everything revoked on the manager's way out, but only what is mounted then.
    private func refuseToLose(_ mount: MountRuntime) async throws {
        if ledger.store.traits.isDurable { return }
        let running = mount.gate.withLock { $0.demands }
        let left = try await counts(.mount(mount.id)).total
        if left + running == 0 { return }
        throw LeaseError(
            .volatileStoreRefused,
            "mount \"\(mount.path)\" still has \(left) leases and \(running) running calls, and this store forgets them with "
                + "the process, so that nobody would end them; unmount with .revoke(wait:)"
        )
    }

    private func forget(_ mount: MountRuntime, _ policy: UnmountPolicy, _ cause: LeaseCause) async throws {
        if try await unregister(mount, cause) { return }
        if case .revoke(let wait) = policy, try await empty(mount, wait: wait, cause) { return }
        let left = try await counts(.mount(mount.id))
        let running = mount.gate.withLock { $0.demands }
        throw LeaseError(
            .mountInUse,
            "mount \"\(mount.path)\" still has \(left.total) leases and \(running) running calls; revoke them first, "
                + "unmount with .revoke(wait:), or leave them in the store with .leave"
        )
    }

    /// Revokes a mount's leases and forgets the mount; false when some are left.
    private func empty(_ mount: MountRuntime, wait: Duration, _ cause: LeaseCause) async throws -> Bool {
        // Closing, so that nothing new comes in while the old ones go.
        let order = RevocationOrderID(rawValue: entropy.next() | 1)
        let options = RevokeOptions(cause: cause, isClosing: true, wait: wait, orderID: order)
        let isForgotten: Bool
        do {
            _ = try await revoke(.mount(mount.id), options)
            isForgotten = try await unregister(mount, cause)
        } catch {
            _ = try? await reopen(order, cause: cause)
            throw error
        }
        // A path that is mounted again must not find it closed by the order that emptied it.
        try await reopen(order, cause: cause)
        return isForgotten
    }

    /// Forgets a mount that nobody uses; false when it is in use.
    private func unregister(_ mount: MountRuntime, _ cause: LeaseCause) async throws -> Bool {
        // Whoever holds a place may be about to write a lease down.
        guard mount.gate.withLock({ $0.demands }) == 0 else { return false }
        // Others may serve the mount on a shared store, and write leases down under its number at any time: it stays.
        guard ledger.store.traits.isExclusive else { return try await counts(.mount(mount.id)).total == 0 }
        let context = ledger.context(cause)
        return try await ledger.ask { try await $0.unregister(mount.id, context) }
    }
}
