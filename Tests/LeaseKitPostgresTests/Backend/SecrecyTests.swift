// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Passwords reach neither the server nor its log.
@Suite struct PostgresSecrecyTests {
    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func noPasswordIsInTheLog(_ version: ServerVersion) async throws {
        let server = try TestServer(
            version,
            .init(settings: ["log_statement": "all", "log_min_duration_statement": "0"])
        )
        let bench = try await BackendBench(version, server: server) { group, _ in
            [
                "app": PostgresRole(.memberOf(group), iterations: 1),
                "own": PostgresRole(
                    .statements(
                        creation: #"CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'"#
                    ),
                    iterations: 1
                ),
                "bad": PostgresRole(.statements(creation: "CREATE ROLE {{name}} PASSWORD {{password}}; SELECT 1/0")),
            ]
        }
        var passwords = [bench.adminPassword.withText { $0 }]
        for role in ["app", "own"] {
            let made = try await bench.issue(role)
            #expect(try await bench.opens(made.credential))
            passwords.append(made.credential.password.withText { $0 })
            var handle = made.handle
            _ = try await bench.backend.renew(&handle, bench.call(made.call.id, role: role))
            #expect(try await bench.revoke(made) == .revoked)
        }
        let failure = await #expect(throws: BackendFailure.self) { try await bench.issue("bad") }
        let texts = ["\(String(describing: failure))", String(reflecting: failure), failure?.message ?? ""]
        #expect(texts.allSatisfy { !$0.contains("SCRAM") && !$0.contains("CREATE ROLE") })
        let log = try server.log()
        #expect(log.contains("CREATE ROLE"), "the log shows statements")
        #expect(log.contains("SCRAM-SHA-256$1:"))
        for password in passwords { #expect(!log.contains(password)) }
    }
}
