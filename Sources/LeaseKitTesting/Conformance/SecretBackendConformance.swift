// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Holds a backend against everything that LeaseKit relies on: for the tests of whoever writes one.
///
///     var suite = SecretBackendConformance(backend, request: "app", time: time)
///     suite.isUsable = { secret in await canLogIn(with: secret) }
///     try await suite.run()
///
/// It makes a few dozen credentials under deployment names of its own and ends them again. What a backend does not
/// declare in its `BackendAbilities` is not asked of it. The probes are optional; each one that is given lets more
/// rules be checked.
public struct SecretBackendConformance<Backend: SecretBackend>: Sendable {
    let backend: Backend
    let request: Backend.Request
    let time: any LeaseTime

    /// Whether a secret opens the target, as a holder would find out.
    public var isUsable: (@Sendable (Backend.Secret) async throws -> Bool)?
    /// The part of a secret that nobody may see, to look for it where it must not be.
    public var secretBytes: (@Sendable (Backend.Secret) -> [UInt8])?
    /// When the target ends a credential by itself, by LeaseKit's clock; nil for never.
    public var endAtTarget: (@Sendable (Backend.Handle) async throws -> LeaseInstant?)?
    /// A request for a role that does not exist.
    public var unknownRequest: Backend.Request?
    /// A path below the mount at which there is no role.
    public var unknownPath: String?
    /// Waits until the target's listing shows what was done, where it lags behind.
    public var untilListed: (@Sendable () async throws -> Void)?
    /// Makes the target stop answering.
    public var hang: (@Sendable () async throws -> Void)?
    /// Makes it answer again.
    public var release: (@Sendable () async throws -> Void)?
    /// How long the leases are that it asks for.
    public var leaseLength: Duration = .seconds(3600)
    /// How long its calls may take.
    public var callTimeout: Duration = .seconds(30)
    /// How long its calls to a target that does not answer may take.
    public var hangTimeout: Duration = .seconds(2)
    /// How much later than its deadline a call may end.
    public var grace: Duration = .seconds(1)
    /// How many issues overlap.
    public var concurrency = 8
    /// Where lease ids come from.
    public var entropy = LeaseEntropy.system

    /// Makes a suite; `request` must be one that the backend can serve.
    ///
    /// `time` is the one that the backend lives on.
    public init(_ backend: Backend, request: Backend.Request, time: any LeaseTime) {
        self.backend = backend
        self.request = request
        self.time = time
    }

    /// Checks every rule that applies.
    ///
    /// - Throws: ``BackendConformanceFailure`` with everything that was broken, or `CancellationError`.
    public func run() async throws {
        let check = BackendCheck(self)
        await check.adoptFingerprint()
        let parts: [@Sendable () async -> Void] = [
            check.names, check.roles, check.issuing, check.secrecy, check.concurrentIssues, check.pastExpiry,
            check.pastDeadline, check.revoking, check.foreignMarks, check.renewing, check.renewingWhatIsGone,
            check.inventory, check.batches, check.silence,
        ]
        for part in parts {
            await part()
            try Task.checkCancellation()
        }
        await check.cleanUp()
        let violations = check.found
        if !violations.isEmpty { throw BackendConformanceFailure(kind: backend.kind, violations: violations) }
    }
}
