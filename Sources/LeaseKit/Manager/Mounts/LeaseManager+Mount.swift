// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Places a backend at a path, before or during ``run()``.
    ///
    /// The path and the backend's kind are durable: after a restart the same call finds the old leases, and a backend of
    /// another kind is refused while there are any.
    ///
    /// - Parameters:
    ///   - backend: What makes the credentials.
    ///   - path: Where, such as `database`. No mount lies above or below another.
    ///   - settings: The mount's limits; all can be changed later.
    /// - Returns: What an application holds: generic over what is asked and got, never over the backend.
    /// - Throws: ``LeaseError``.
    public func mount<Backend: SecretBackend>(
        _ backend: Backend,
        at path: String,
        _ settings: MountSettings = MountSettings()
    ) async throws -> Mount<Backend.Request, Backend.Secret> {
        if !ledger.isOpen { try configuration.validate() }
        try LeasePath.validate(path)
        try settings.validate()
        try validate(settings.limits, at: path)
        let box = BackendBox(backend)
        try refuseLeaks(box, at: path, settings)
        try mounts.reserve(path)
        do {
            let opening = try await openedForChange()
            let registration = try await register(box, at: path)
            // A store that was never opened before has no past that another copy could share.
            let hasPast = ledger.store.traits.isDurable && opening.observed != nil
            let runtime = MountRuntime(registration, box, settings, awaitsWitnesses: hasPast)
            mounts.add(runtime)
            alarm.ring()
            return Mount(manager: self, runtime: runtime, backend: box)
        } catch {
            mounts.release(path)
            throw error
        }
    }

    /// Places sessions at a path: leases without a credential, roots to hang others on.
    public func mountSessions(
        at path: String,
        _ settings: MountSettings = MountSettings()
    ) async throws -> Mount<String, Void> {
        try await mount(SessionBackend(), at: path, settings)
    }

    private func validate(_ limits: TTLLimits, at path: String) throws {
        do {
            try TTLPolicy(rules: configuration.ttlRules, system: configuration.limits, mount: limits).validate()
        } catch {
            throw LeaseError(.invalidLimits, "the limits of mount \"\(path)\": \(error.description)", underlying: error)
        }
    }

    /// A credential that lives until somebody ends it, and a store that forgets: a crash would leak it.
    private func refuseLeaks(_ backend: any ErasedBackend, at path: String, _ settings: MountSettings) throws {
        let abilities = backend.abilities
        if ledger.store.traits.isDurable || abilities.endsByItself || settings.acceptsLeaksOnCrash { return }
        guard abilities.leaseKind == .credential else { return }
        throw LeaseError(
            .volatileStoreRefused,
            "the credentials of backend \(backend.kind) at \"\(path)\" live until somebody ends them, and this store "
                + "forgets them in a crash; use a durable store, or set acceptsLeaksOnCrash in the mount's settings"
        )
    }

    private func register(_ backend: any ErasedBackend, at path: String) async throws -> MountRegistration {
        let known = try await ledger.ask { [context = ledger.context(LeaseCause(.requested))] in
            try await $0.register(path: path, kind: backend.kind, context)
        }
        if known.kind == backend.kind { return known }
        // Another kind was here. Without leases its place is free; with leases nobody else could end them.
        let context = ledger.context(LeaseCause(.requested))
        guard try await ledger.ask({ try await $0.unregister(known.id, context) }) else {
            throw LeaseError(
                .mountKindMismatch,
                "the store holds leases of kind \(known.kind) at \"\(path)\", which a backend of kind \(backend.kind) "
                    + "cannot end; mount a \(known.kind) backend there, or choose another path"
            )
        }
        return try await ledger.ask { try await $0.register(path: path, kind: backend.kind, context) }
    }

    /// Changes a mount's settings from now on.
    ///
    /// Lowered limits bind at the next renewal and cut nothing short.
    func change(_ runtime: MountRuntime, _ settings: MountSettings) throws {
        try settings.validate()
        try validate(settings.limits, at: runtime.path)
        runtime.gate.withLock { $0.change(settings) }
        runtime.callNext()
        alarm.ring()
    }
}
