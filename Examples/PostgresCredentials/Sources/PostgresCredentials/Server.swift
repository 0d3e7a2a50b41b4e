// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// The server that `Examples/run` started, and what an operator sets up there once.
struct Server: Sendable {
    private let port: Int
    private let password: String
    let adminPassword = PasswordPolicy().makePassword()

    /// Nil when nobody started one.
    init?() {
        let words = (ProcessInfo.processInfo.environment["LEASEKIT_POSTGRES"] ?? "").split(separator: " ").map(
            String.init
        )
        guard words.count >= 2, let port = Int(words[0]) else { return nil }
        (self.port, password) = (port, words[1])
    }

    /// How to connect; on another machine it would say `tls: .verifyFull(…)`.
    func configuration(user: String, password: SecretText, maxConnections: Int = 4) -> PostgresConfiguration {
        PostgresConfiguration(
            hosts: [PostgresConfiguration.Host("127.0.0.1", port: port)],
            tls: .disabled,
            maxConnections: maxConnections
        ) { PostgresConfiguration.Login(user: user, password: password) }
    }

    /// A table, a group that may read it, and an admin that may make members of the group.
    func prepare() async throws {
        let verifier = try SCRAMVerifier(adminPassword).text.withText { $0 }
        try await asSuperuser(
            "CREATE TABLE orders AS SELECT n AS id, n * 10 AS cents FROM generate_series(1, 100) n",
            "CREATE ROLE app_readers NOLOGIN",
            "GRANT SELECT ON orders TO app_readers",
            "CREATE ROLE leasekit LOGIN CREATEROLE PASSWORD '\(verifier)'",
            "GRANT app_readers TO leasekit WITH ADMIN OPTION"
        )
    }

    func countOfUsers() async throws -> String {
        try await asSuperuser("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lk\\_%'")[0].first ?? "?"
    }

    @discardableResult
    private func asSuperuser(_ statements: String...) async throws -> [PostgresResult] {
        let client = LibPQClient(configuration(user: "postgres", password: SecretText(password)))
        let results = try await client.withSession(database: nil, timeout: .seconds(30)) { session in
            try await session.run(statements.map { PostgresStatement($0) })
        }
        await client.close()
        return results
    }
}

/// What the application does all day.
func sumOfOrders(_ client: LibPQClient) async throws -> String {
    try await client.withSession(database: nil, timeout: .seconds(10)) { session in
        try await session.run(["SELECT sum(cents) FROM orders"])[0].first ?? "nothing"
    }
}

func heading(_ text: String) { print("\n== \(text)") }
