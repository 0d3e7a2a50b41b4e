// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Makes, extends and ends credentials in one target system: a database, a cloud account.
///
/// This is what a broker author writes. A first backend has `issue` and `revoke`; everything else has a default.
///
/// LeaseKit promises in return:
/// - A manager's calls to renew and revoke one lease never overlap while they keep their deadlines; calls for different
///   leases do. One that outlives its deadline keeps nobody out any more, or a lease could never be ended. A call that
///   issues may be followed by one that revokes what it may have made, once nobody waits for it.
/// - Every call has a deadline in its ``BackendCall``. A call that ignores it holds up its own slot and nobody else.
/// - No call is ever cancelled because a caller went away.
/// - ``revoke(_:_:)`` may be called again for a credential that is gone, and for one that was never made.
public protocol SecretBackend<Request, Secret>: Sendable {
    /// What an application asks with, such as a role's name.
    associatedtype Request: Sendable
    /// What it gets, such as a user name with a password.
    associatedtype Secret: Sendable
    /// What is stored to find the credential again.
    associatedtype Handle: LeaseHandle = TextHandle

    /// The kind and the format of its handles, such as `postgres/1`.
    ///
    /// Stored with the mount; a mount of another kind over old leases is refused. It has no default, since a name that
    /// followed the type's would lose its leases when the type is renamed.
    var kind: String { get }

    /// What it can do, and how it is called.
    var abilities: BackendAbilities { get }

    /// The path below the mount that a request stands for, such as `creds/app`; empty for the mount itself.
    ///
    /// Throws ``LeaseError`` with code ``LeaseError/Code/unknownRole`` for a role that does not exist.
    func path(for request: Request) throws -> String

    /// The role's limits as they are now: asked at each issue and at each renewal.
    ///
    /// `path` is the one below the mount. Throws when the role is gone; the lease then runs out.
    func limits(at path: String) throws -> TTLLimits

    /// What of the role is needed later to end its credentials, should the role have changed or gone by then.
    ///
    /// Stored once per version and handed back in ``BackendCall/role``.
    func roleVersion(at path: String) throws -> [UInt8]

    /// Names the credential before it is made.
    ///
    /// Synchronous, so it cannot do I/O. The same call gives the same handle, and the handle alone is enough to end
    /// whatever ``issue(_:as:_:)`` will make under it: derive the name from the call's lease id with at least 96 of
    /// its bits.
    func prepare(_ request: Request, _ call: BackendCall) throws -> Handle

    /// Makes the credential, marked with the call's ``BackendCall/mark``.
    ///
    /// What is learnt on the way (a key id, an object id) goes into `handle`, which is stored also when this throws.
    /// Where the target has a clock, the credential should end by itself a while after ``BackendCall/expiresAt``.
    func issue(_ request: Request, as handle: inout Handle, _ call: BackendCall) async throws -> Issued<Secret>

    /// Moves the credential's end at the target to ``BackendCall/expiresAt``. Absolute, so that repeating it is harmless.
    func renew(_ handle: inout Handle, _ call: BackendCall) async throws -> Renewed

    /// Ends the credential, if and only if it bears the call's mark. Idempotent.
    func revoke(_ handle: Handle, _ call: BackendCall) async throws -> RevocationOutcome

    /// Says which target this is (`pg_control_system()`, an account number), or nil when there is no telling.
    ///
    /// Asked before the first call and after each outage. What said so once has to go on saying so: nil then counts as another
    /// target until an operator adopts it. A backend that notices a change by itself, as at a
    /// reconnect, throws ``BackendFailure/wrongTarget(found:)`` from any call.
    func fingerprint(_ call: BackendCall) async throws -> String?
}

extension SecretBackend {
    /// By default revocable, not renewable, and not ending by itself.
    public var abilities: BackendAbilities { BackendAbilities() }
    /// By default the mount itself: one path for all requests.
    public func path(for request: Request) throws -> String { "" }
    /// By default no limits of its own: those of the mount and the manager count.
    public func limits(at path: String) throws -> TTLLimits { TTLLimits() }
    /// By default nothing is kept of the role.
    public func roleVersion(at path: String) throws -> [UInt8] { [] }
    /// Refuses: the credential cannot be extended.
    public func renew(_ handle: inout Handle, _ call: BackendCall) async throws -> Renewed {
        .refused("this backend cannot extend a credential; issue a new one")
    }
    /// By default there is no telling, so that an exchanged target is not noticed.
    public func fingerprint(_ call: BackendCall) async throws -> String? { nil }
}

extension SecretBackend where Handle == TextHandle {
    /// By default the deployment and the lease id, with a hyphen between.
    public func prepare(_ request: Request, _ call: BackendCall) throws -> TextHandle {
        TextHandle("\(call.mark.deployment)-\(call.id)")
    }
}
