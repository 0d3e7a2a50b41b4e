// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Leases of temporary credentials, which AWS ends by itself.
///
/// A lease ends when the credentials do and cannot be renewed. Its revocation says when they will end, or, with
/// ``STSRole/revocation``, denies them everything.
public final class STSBackend: Sendable {
    let access: AWSAccess
    /// What sessions' names begin with.
    let namePrefix: String
    private let roles = Locked<[String: CheckedSTSRole]>([:])
    /// Whose a key is, as AWS said.
    private let identities = Locked<(key: String, identity: AWSIdentity)?>(nil)
    /// Whether a session can be ended before its time; a mount asks once.
    private let canRevoke: Bool
    /// What tells this process from all others.
    let birth: [UInt8]
    private let denials = Locked<[STSHandle.Denial: RoleDenials]>([:])
    let notes = Locked<[String: STSRevocability]>([:])

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
        canRevoke = roles.values.contains { $0.revocation != .none }
        let bits = canRevoke ? [access.tools.entropy.next(), access.tools.entropy.next()] : []
        birth = bits.flatMap { bits in (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) } }
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) { try setRole(name, role) }
    }

    /// Adds or changes a role; nil takes it away.
    ///
    /// A role with a revocation is accepted only where one was there from the beginning, since a mount learns once what its
    /// backend can do.
    ///
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for a role that AWS would refuse.
    public func setRole(_ name: String, _ role: STSRole?) throws(AWSError) {
        guard let role else { return roles.withLock { $0[name] = nil } }
        let checked = try CheckedSTSRole(role, name: name)
        guard canRevoke || role.revocation == .none else {
            throw AWSError(
                .outOfBounds,
                "role \"\(name)\": no role had a revocation when the backend was made: make it with one that has"
            )
        }
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
        return try await identity(of: own, deadline).isRole
    }

    /// Whose own credentials are; asked once for each key.
    func identity(of own: AWSCredentials, _ deadline: Duration) async throws(AWSError) -> AWSIdentity {
        if let known = identities.withLock({ $0 }), known.key == own.accessKeyID { return known.identity }
        let identity = try await AWSIdentity.own(access.asking(as: own), until: deadline)
        identities.withLock { $0 = (own.accessKeyID, identity) }
        return identity
    }

    /// What this process knows of a role's sessions.
    func denials(of denial: STSHandle.Denial) -> RoleDenials {
        denials.withLock { denials in
            if let known = denials[denial] { return known }
            let new = RoleDenials()
            denials[denial] = new
            return new
        }
    }

    /// The roles at AWS whose sessions can be denied, in order.
    var revocableARNs: [String] {
        let arns = roles.withLock { roles in
            roles.values.filter { $0.role.revocation != .none }.flatMap(\.role.roleARNs)
        }
        return Set(arns).sorted()
    }
}

extension STSBackend: SecretBackend {
    /// The kind of its handles.
    public var kind: String { "aws-sts/1" }

    /// Ending by itself, and not renewable; revocable when a role has a ``STSRole/revocation``.
    public var abilities: BackendAbilities { BackendAbilities(isRevocable: canRevoke, endsByItself: true) }

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
        var denial: STSHandle.Denial?
        if role.role.revocation != .none, let arn = try? roleARN(request, role) {
            denial = STSHandle.Denial(roleARN: arn, deployment: call.mark.deployment)
        }
        return STSHandle(
            sessionName: name(request, role, call, denial),
            endsAt: call.deadline + longest,
            denial: denial
        )
    }

    private func name(
        _ request: STSRequest,
        _ role: CheckedSTSRole,
        _ call: BackendCall,
        _ denial: STSHandle.Denial?
    ) -> String {
        // A federated user's name has 32 letters at most, and the lease's id alone has 26.
        if role.role.kind == .federationToken { return "lk-\(call.id)" }
        let beginning = denial.map { process(of: $0.deployment) } ?? namePrefix
        let room = AWSLimits.userName - beginning.utf8.count - call.id.text.utf8.count - 2
        return "\(beginning)-\(AWSLimits.name(request.role).prefix(max(0, room)))-\(call.id)"
    }

    /// Refuses, and says why.
    public func renew(_ handle: inout STSHandle, _ call: BackendCall) async throws -> Renewed {
        .refused("AWS sets the end of temporary credentials when it makes them; issue new ones")
    }

    /// Denies them everything, where the role has a ``STSRole/revocation``; else says when they end.
    ///
    /// A denial is one call, which all revocations share that come meanwhile.
    public func revoke(_ handle: STSHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        guard handle.names(call.mark) else { return .notOurs }
        if handle.endsAt <= call.now { return .alreadyGone }
        guard let denial = handle.denial, handle.endsAt > call.now + Self.shortest else {
            return .endsByItself(at: handle.endsAt)
        }
        guard call.timeout > .zero else {
            throw BackendFailure(.transient, code: "late", "the call's deadline was over before it began")
        }
        do throws(AWSError) {
            return try await deny(handle, denial, call)
        } catch {
            throw error.failure()
        }
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
