// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// The PostgreSQL server of a run, and what an operator does there.
struct Server: Sendable {
    let port: Int
    let superuserPassword: SecretText
    private let adminPassword = PasswordPolicy().makePassword()
    /// Stops it and starts it again; nil where nobody knows how.
    let restart: (@Sendable () async throws -> Void)?

    init(port: Int, superuserPassword: SecretText, restart: (@Sendable () async throws -> Void)?) {
        self.port = port
        self.superuserPassword = superuserPassword
        self.restart = restart
    }

    /// How to connect; on another machine it would say `tls: .verifyFull(…)`.
    func configuration(_ user: PostgresCredential, maxConnections: Int = 4) -> PostgresConfiguration {
        PostgresConfiguration(
            hosts: [PostgresConfiguration.Host("127.0.0.1", port: port)],
            tls: .disabled,
            maxConnections: maxConnections
        ) { PostgresConfiguration.Login(user: user.username, password: user.password) }
    }

    var superuser: PostgresCredential { PostgresCredential(username: "postgres", password: superuserPassword) }

    /// The admin, who may make roles and no more, and by whom users are made and dropped.
    var admin: PostgresCredential { PostgresCredential(username: "leasekit", password: adminPassword) }

    /// A table, a group that may read it, and an admin that may make members of the group.
    func prepare() async throws {
        let verifier = try SCRAMVerifier(adminPassword).text.withText { $0 }
        let statements = [
            "CREATE TABLE orders AS SELECT n AS id, n * 10 AS cents FROM generate_series(1, 100) n",
            "CREATE ROLE app_readers NOLOGIN",
            "GRANT SELECT ON orders TO app_readers",
            "CREATE ROLE leasekit LOGIN CREATEROLE PASSWORD '\(verifier)'",
            "GRANT app_readers TO leasekit WITH ADMIN OPTION",
        ]
        try await withSuperuser { connection in
            for statement in statements { try await connection.ask(PostgresStatement(statement)) }
        }
    }

    /// Takes the admin's right to change roles away while `body` runs: without it every renewal is refused.
    func withoutTheAdminsRight(_ body: () async throws -> Void) async throws {
        try await withSuperuser { connection in
            try await connection.ask("ALTER ROLE leasekit NOCREATEROLE")
            try await body()
            try await connection.ask("ALTER ROLE leasekit CREATEROLE")
        }
    }

    /// Lends a connection that is opened before, and not when it is in a hurry.
    private func withSuperuser(_ body: (Connection) async throws -> Void) async throws {
        let connection = try await Connection(configuration(superuser))
        try await body(connection)
        await connection.close()
    }
}

extension Server {
    /// The one that `Examples/run` started; nil when nobody did.
    init?(_ environment: [String: String]) {
        let words = (environment["LEASEKIT_POSTGRES"] ?? "").split(separator: " ").map(String.init)
        guard words.count >= 2, let port = Int(words[0]) else { return nil }
        var restart: (@Sendable () async throws -> Void)?
        if let command = environment["LEASEKIT_POSTGRES_RESTART"] { restart = { try await Self.run(command) } }
        self.init(port: port, superuserPassword: SecretText(words[1]), restart: restart)
    }

    /// Runs a command on a thread of its own, which waits for it.
    private static func run(_ command: String) async throws {
        let status = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: system("'\(command)'")) }
        }
        if status != 0 { throw RestartFailed() }
    }

    struct RestartFailed: Error {}
}
