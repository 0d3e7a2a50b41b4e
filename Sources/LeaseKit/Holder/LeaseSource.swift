// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where leases come from, as a service sees it: a mount, a fake in a test, or a broker far away.
///
/// Services hold `any LeaseSource<Request, Secret>`, never a backend's type.
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
    @discardableResult
    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport
}

extension LeaseSource {
    /// Issues a lease with default options.
    public func issue(_ request: Request) async throws -> Lease<Secret> {
        try await issue(request, IssueOptions())
    }

    /// Extends a lease by its role's default.
    public func renew(_ id: LeaseID) async throws -> RenewalOutcome {
        try await renew(id, RenewOptions())
    }

    /// Ends a lease and everything below it, and waits for the report.
    @discardableResult
    public func revoke(_ id: LeaseID) async throws -> RevocationReport {
        try await revoke(id, RevokeOptions())
    }

    /// Runs `body` with a lease, and revokes it on the way out: on return, on a throw and on cancellation.
    ///
    /// When the time that was granted is over before `body` is done, `body` is cancelled and ``LeaseLost`` is thrown. The
    /// lease is not renewed, a renewal by `body` does not move that time, and a revocation by somebody else is not noticed.
    ///
    /// A clean-up that fails never takes the place of `body`'s result: the lease is written down as being revoked and its end
    /// goes on in the background.
    public func withLease<Result: Sendable>(
        _ request: Request,
        _ options: IssueOptions = IssueOptions(),
        _ body: @Sendable (Lease<Secret>) async throws -> Result
    ) async throws -> Result {
        let lease = try await issue(request, options)
        do {
            let result = try await keepValid(lease, body)
            await release(lease)
            return result
        } catch {
            await release(lease)
            throw error
        }
    }

    private func keepValid<Result: Sendable>(
        _ lease: Lease<Secret>,
        _ body: @Sendable (Lease<Secret>) async throws -> Result
    ) async throws -> Result {
        try await withoutActuallyEscaping(body) { body in
            try await withThrowingTaskGroup(of: Progress<Result>.self) { group in
                group.addTask { .done(try await body(lease)) }
                group.addTask {
                    do { try await time.sleep(until: lease.validUntil) } catch { return .unwatched }
                    return .over
                }
                defer { group.cancelAll() }
                while let progress = try await group.next() {
                    switch progress {
                    case .done(let result): return result
                    case .over: throw LeaseLost(lease: lease.id, path: lease.path, reason: .expired)
                    // The caller was cancelled, and the body with it: what the body makes of that is the result.
                    case .unwatched: continue
                    }
                }
                throw CancellationError()
            }
        }
    }

    private func release(_ lease: Lease<Secret>) async {
        _ = try? await revoke(lease.id, RevokeOptions(cause: LeaseCause(.scopeEnded)))
    }
}

/// What happened first while a body runs with a lease.
private enum Progress<Result: Sendable>: Sendable {
    case done(Result)
    case over
    case unwatched
}

/// A lease ended while somebody was using it.
public struct LeaseLost: Error, Hashable, CustomStringConvertible {
    /// Which one.
    public let lease: LeaseID
    /// Where it lay.
    public let path: String
    /// Why.
    public let reason: Reason

    /// Makes an error.
    public init(lease: LeaseID, path: String, reason: Reason) {
        self.lease = lease
        self.path = path
        self.reason = reason
    }

    /// The reasons.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        private let text: String
        private init(_ text: String) { self.text = text }

        /// Its time was over.
        public static let expired = Reason("its time was over")
        /// It was revoked.
        public static let revoked = Reason("it was revoked")

        /// The reason in words.
        public var description: String { text }
    }

    /// The lease and the reason.
    public var description: String { "lease \(path)/\(lease) was lost: \(reason)" }
}
