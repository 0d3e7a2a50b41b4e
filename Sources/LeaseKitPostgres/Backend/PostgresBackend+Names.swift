// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension PostgresBackend: SecretBackend {
    /// The kind of its handles.
    public var kind: String { "postgres/1" }

    /// Renewable, revocable, and ended by the server itself when nobody else does.
    ///
    /// A request that was lost is not carried out after its deadline: the server compares its own clock. So there is little to
    /// settle.
    public var abilities: BackendAbilities {
        BackendAbilities(isRenewable: true, endsByItself: true, settleTime: .seconds(2))
    }

    /// The role's path: `creds/` and its name.
    public func path(for request: PostgresRequest) throws -> String {
        Self.folder + (try compiledRole(request.role).name)
    }

    /// The role's times.
    public func limits(at path: String) throws -> TTLLimits { try compiledRole(at: path).role.limits }

    /// What is needed to end the role's users.
    public func roleVersion(at path: String) throws -> [UInt8] { try compiledRole(at: path).plan.bytes }

    /// Names the user after the lease.
    public func prepare(_ request: PostgresRequest, _ call: BackendCall) throws -> PostgresHandle {
        let role = try compiledRole(request.role)
        let name = role.role.userName.name(of: call.id, role: role.name, label: request.label)
        return PostgresHandle(name: name, role: role.name, issueDeadline: call.deadline)
    }
}
