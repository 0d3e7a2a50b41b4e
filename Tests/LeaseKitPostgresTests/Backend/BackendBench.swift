// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// A backend on a real server, as an admin of a kind, with names that no other test has.
struct BackendBench: Sendable {
    enum Admin: Sendable, CaseIterable { case superuser, createRole }

    let server: TestServer
    let adminKind: Admin
    /// Ends every name that the test makes.
    let tail: String
    let admin: String
    let adminPassword: SecretText
    /// Holds rights on nothing; the roles are made its members.
    let group: String
    /// Owns what rights are given on.
    let owner: String
    let client: LibPQClient
    let backend: PostgresBackend
    let deployment: String
    let time = SystemTime()

    /// - Parameters:
    ///   - ownsOwner: Whether an admin with CREATEROLE alone may act for the owner; before 16 it always may.
    ///   - roles: By the group's and the owner's name.
    init(
        _ version: ServerVersion = .system,
        _ kind: Admin = .superuser,
        server: TestServer? = nil,
        host: PostgresConfiguration.Host? = nil,
        ownsOwner: Bool = true,
        maxConnections: Int = 4,
        options: PostgresBackend.Options = .init(checksRoles: false),
        roles: (_ group: String, _ owner: String) -> [String: PostgresRole] = { group, _ in
            ["app": PostgresRole(.memberOf(group), iterations: 1)]
        }
    ) async throws {
        let server = if let server { server } else { try await TestServer.shared(version) }
        self.server = server
        adminKind = kind
        tail = String(LeaseID.random().text.suffix(8))
        (group, owner, deployment) = ("group_\(tail)", "owner_\(tail)", "test-\(tail)")
        try await server.sql("CREATE ROLE \(group) NOLOGIN", "CREATE ROLE \(owner) NOLOGIN")
        switch kind {
        case .superuser:
            (admin, adminPassword) = ("postgres", SecretText(server.password))
        case .createRole:
            let password = PasswordPolicy().makePassword()
            (admin, adminPassword) = ("admin_\(tail)", password)
            try await server.sql(
                "CREATE ROLE admin_\(tail) LOGIN CREATEROLE PASSWORD '\(password.withText { $0 })'",
                "GRANT \(group) TO admin_\(tail) WITH ADMIN OPTION"
            )
            if ownsOwner {
                // From 16 on no more than the right to join it.
                let options = version == .sixteen ? "ADMIN TRUE, INHERIT FALSE, SET FALSE" : "ADMIN OPTION"
                try await server.sql("GRANT \(owner) TO admin_\(tail) WITH \(options)")
            }
        }
        client = LibPQClient(
            server.configuration(
                user: admin,
                password: adminPassword.withText { $0 },
                host: host,
                maxConnections: maxConnections
            )
        )
        backend = try PostgresBackend(client: client, roles: roles(group, owner), options: options)
    }

    // MARK: - Calls as the manager makes them

    func call(
        _ id: LeaseID = .random(),
        ttl: Duration = .seconds(600),
        timeout: Duration = .seconds(20),
        role: String = "app"
    ) -> BackendCall {
        let now = time.read().wall
        return BackendCall(
            id: id,
            path: "db/creds/\(role)",
            rolePath: "creds/\(role)",
            mark: LeaseMark(deployment: deployment, lease: id, epoch: 1),
            now: now,
            expiresAt: now + ttl,
            deadline: now + timeout,
            role: (try? backend.roleVersion(at: "creds/\(role)")) ?? []
        )
    }

    struct Made: Sendable {
        let credential: PostgresCredential
        let handle: PostgresHandle
        let call: BackendCall
        var name: String { handle.name }
    }

    func issue(_ role: String = "app", ttl: Duration = .seconds(600)) async throws -> Made {
        let call = call(ttl: ttl, role: role)
        var handle = try backend.prepare(PostgresRequest(role: role), call)
        let issued = try await backend.issue(PostgresRequest(role: role), as: &handle, call)
        return Made(credential: issued.secret, handle: handle, call: call)
    }

    func revoke(_ made: Made) async throws -> RevocationOutcome {
        try await backend.revoke(made.handle, call(made.call.id, role: made.handle.role))
    }

    // MARK: - What a holder, and the server, see

    /// A client of a holder.
    func holder(_ credential: PostgresCredential, maxConnections: Int = 1) -> LibPQClient {
        let password = credential.password.withText { $0 }
        return LibPQClient(
            server.configuration(user: credential.username, password: password, maxConnections: maxConnections)
        )
    }

    /// Whether somebody can log in with it.
    func opens(_ credential: PostgresCredential) async throws -> Bool {
        let client = holder(credential)
        defer { Task { await client.close() } }
        do {
            try await client.run("SELECT 1")
            return true
        } catch let error as PostgresError where error.kind == .denied {
            return false
        }
    }

    func exists(_ name: String) async throws -> Bool {
        try await server.sql("SELECT 1 FROM pg_roles WHERE rolname = '\(name)'")[0].rows.count == 1
    }
}
