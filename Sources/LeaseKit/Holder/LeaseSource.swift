// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where leases come from, as a service sees it: a mount, a fake in a test, or a broker far away.
///
/// Services hold `any LeaseSource<Request, Secret>`, never a backend's type. Calls obey cancellation: one that goes on
/// without its caller holds up whoever waits for the caller's end.
public protocol LeaseSource<Request, Secret>: Sendable {
    /// What is asked with.
    associatedtype Request: Sendable
    /// What is got.
    associatedtype Secret: Sendable

    /// The clocks by which its leases run.
    var time: any LeaseTime { get }

    /// Issues a lease.
    func issue(_ request: Request, _ options: IssueOptions) async throws -> Lease<Secret>
    /// Extends a lease.
    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome
    /// Ends a lease and everything below it.
    ///
    /// Also called from tasks that are cancelled already, to clean up after them: it must not give up because of that, and it
    /// must not take longer than ``RevokeOptions/wait``.
    @discardableResult
    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport
    /// Waits until a lease ends somewhere else than at `known`, or is over; throws `CancellationError` when cancelled.
    ///
    /// So a holder notices what others do to its lease. A source that cannot tell has nothing to write: it then learns of a
    /// revocation from the answer to its next renewal. One that throws something else is asked again, more and more slowly;
    /// after each renewal it may be asked anew, about the end that the holder now believes in.
    func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews
}

extension LeaseSource {
    /// Waits until the task is cancelled: this source cannot tell.
    public func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews {
        await Alarm().waitForRing()
        throw CancellationError()
    }

    /// Issues a lease with default options.
    @inlinable
    public func issue(_ request: Request) async throws -> Lease<Secret> {
        try await issue(request, IssueOptions())
    }

    /// Extends a lease by its role's default.
    @inlinable
    public func renew(_ id: LeaseID) async throws -> RenewalOutcome {
        try await renew(id, RenewOptions())
    }

    /// Ends a lease and everything below it, and waits for the report.
    @inlinable
    @discardableResult
    public func revoke(_ id: LeaseID) async throws -> RevocationReport {
        try await revoke(id, RevokeOptions())
    }
}
