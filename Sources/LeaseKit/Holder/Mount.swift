// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A backend at its path, in the hands of an application: generic over what is asked and got, never over the backend.
public struct Mount<Request: Sendable, Secret: Sendable>: LeaseSource {
    let manager: LeaseManager
    let runtime: MountRuntime
    let backend: any IssuingBackend<Request, Secret>

    /// The mount's durable number.
    public var id: MountID { runtime.id }
    /// Where it is mounted.
    public var path: String { runtime.path }
    /// The clocks by which its leases run.
    public var time: any LeaseTime { manager.clock.time }

    /// The mount's limits, as they are now.
    public var settings: MountSettings { runtime.settings }

    /// Changes the mount's limits from now on.
    ///
    /// Lowered limits bind at the next renewal and cut nothing short.
    public func change(_ settings: MountSettings) throws { try manager.change(runtime, settings) }

    /// Issues a lease: the secret is in the answer and exists nowhere else.
    public func issue(_ request: Request, _ options: IssueOptions) async throws -> Lease<Secret> {
        try await manager.issue(request, options, from: backend, at: runtime)
    }

    /// Extends a lease of this mount; one of another mount is not found.
    public func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        try await manager.renew(id, options, within: runtime)
    }

    /// Ends a lease of this mount and everything below it, wherever that is, and waits for the report.
    ///
    /// Also from a task that is cancelled already. A lease of another mount is not found.
    @discardableResult
    public func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        try await manager.revokeShielded(id, options, within: runtime)
    }

    /// Waits until a lease of this mount ends somewhere else than at `known`, or is over.
    ///
    /// What this manager does is noticed at once, what another one on the same store does at the next renewal.
    public func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews {
        try await manager.nextChange(of: lease, at: path, since: known)
    }
}
