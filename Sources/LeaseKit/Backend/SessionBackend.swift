// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Sessions: leases without a credential, to hang others on.
///
/// A token, a job, a login.
///
/// The request is the session's name below the mount. Ending a session ends everything below it.
public struct SessionBackend: SecretBackend {
    private let roleLimits: TTLLimits

    /// Makes a backend whose sessions have these limits.
    public init(limits: TTLLimits = TTLLimits()) { roleLimits = limits }

    /// The kind and format.
    public var kind: String { "session/1" }

    /// Nothing is made, so nothing waits and nothing has to be ended.
    public var abilities: BackendAbilities {
        BackendAbilities(
            leaseKind: .session,
            isRenewable: true,
            endsByItself: true,
            callStyle: .immediate,
            settleTime: .zero
        )
    }

    /// The session's name.
    public func path(for request: String) throws -> String { request }
    /// The limits that the backend was made with.
    public func limits(at path: String) throws -> TTLLimits { roleLimits }
    /// Nothing to find again.
    public func prepare(_ request: String, _ call: BackendCall) throws -> TextHandle { "" }
    /// Nothing to make.
    public func issue(_ request: String, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<Void>
    {
        Issued(())
    }
    /// Nothing to move.
    public func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed {
        .until(call.expiresAt)
    }
    /// Nothing to end.
    public func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome { .revoked }
}
