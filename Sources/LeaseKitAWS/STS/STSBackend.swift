// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Leases of temporary credentials, which AWS ends by itself and nobody can end before.
///
/// A lease ends when the credentials do, cannot be renewed, and its revocation says when they will end.
public final class STSBackend: Sendable {
    let access: AWSAccess
    /// What sessions' names begin with.
    let namePrefix: String
    private let roles = Locked<[String: CheckedSTSRole]>([:])
    /// Whether a key belongs to a role, as AWS said.
    private let identities = Locked<(key: String, isRole: Bool)?>(nil)

    /// Makes a backend with roles by name.
    ///
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for a role that AWS would refuse.
    public init(
        _ access: AWSAccess,
        roles: [String: STSRole] = [:],
        namePrefix: String = "leasekit"
    ) throws(AWSError) {
        try AWSLimits.check(name: namePrefix, of: "namePrefix", 1...24)
        self.access = access
        self.namePrefix = namePrefix
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) { try setRole(name, role) }
    }

    /// Adds or changes a role; nil takes it away.
    ///
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for a role that AWS would refuse.
    public func setRole(_ name: String, _ role: STSRole?) throws(AWSError) {
        guard let role else { return roles.withLock { $0[name] = nil } }
        let checked = try CheckedSTSRole(role, name: name)
        roles.withLock { $0[name] = checked }
    }

    func role(at path: String) throws -> CheckedSTSRole {
        let name = path.hasPrefix("creds/") ? String(path.dropFirst(6)) : ""
        guard let role = roles.withLock({ $0[name] }) else {
            throw LeaseError(.unknownRole, "there is no role at \"\(path)\"; add it with setRole(_:_:)")
        }
        return role
    }

    /// Whether own credentials are a role's.
    func isRole(_ own: AWSCredentials, _ deadline: Duration) async throws(AWSError) -> Bool {
        if own.origin == .user { return false }
        if own.origin == .role { return true }
        if let known = identities.withLock({ $0 }), known.key == own.accessKeyID { return known.isRole }
        let identity = try await AWSIdentity.own(access.asking(as: own), until: deadline)
        identities.withLock { $0 = (own.accessKeyID, identity.isRole) }
        return identity.isRole
    }
}

extension STSBackend: SecretBackend {
    /// The kind of its handles.
    public var kind: String { "aws-sts/1" }

    /// Ending by itself; neither renewable nor revocable.
    public var abilities: BackendAbilities { BackendAbilities(isRevocable: false, endsByItself: true) }

    /// The role's path: `creds/` and its name.
    public func path(for request: STSRequest) throws -> String {
        _ = try role(at: "creds/\(request.role)")
        return "creds/\(request.role)"
    }

    /// The role's limits, within those of AWS; an hour by default.
    public func limits(at path: String) throws -> TTLLimits { try role(at: path).limits }

    /// Names the session after the role and the lease.
    public func prepare(_ request: STSRequest, _ call: BackendCall) throws -> STSHandle {
        let role = try role(at: call.rolePath)
        // The longest that could come of it, should the answer be lost.
        let longest = Duration.seconds(max(STSDuration.floor, Int(call.timeLeft.components.seconds) + 1))
        return STSHandle(sessionName: name(request, role, call), endsAt: call.deadline + longest)
    }

    private func name(_ request: STSRequest, _ role: CheckedSTSRole, _ call: BackendCall) -> String {
        // A federated user's name has 32 letters at most, and the lease's id alone has 26.
        if role.role.kind == .federationToken { return "lk-\(call.id)" }
        let room = AWSLimits.userName - namePrefix.utf8.count - call.id.text.utf8.count - 2
        return "\(namePrefix)-\(AWSLimits.name(request.role).prefix(max(0, room)))-\(call.id)"
    }

    /// Refuses, and says why.
    public func renew(_ handle: inout STSHandle, _ call: BackendCall) async throws -> Renewed {
        .refused("AWS sets the end of temporary credentials when it makes them; issue new ones")
    }

    /// Says when the credentials end.
    public func revoke(_ handle: STSHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        handle.endsAt <= call.now ? .alreadyGone : .endsByItself(at: handle.endsAt)
    }

    /// Says which account this is.
    public func fingerprint(_ call: BackendCall) async throws -> String? {
        do throws(AWSError) {
            return try await AWSIdentity.own(access.sts, until: access.deadline(of: call)).fingerprint
        } catch {
            throw error.failure()
        }
    }
}
