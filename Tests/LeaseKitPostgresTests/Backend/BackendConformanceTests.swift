// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import LeaseKitTesting
import Testing

/// The backend keeps every promise that LeaseKit relies on.
@Suite struct PostgresBackendConformanceTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let version: ServerVersion
        let admin: BackendBench.Admin
        var byStatements = false

        var testDescription: String { "\(version), \(admin)\(byStatements ? ", by statements" : "")" }
    }

    static let rows =
        ServerVersion.allCases.flatMap { version in
            BackendBench.Admin.allCases.map { Row(version: version, admin: $0) }
        } + [Row(version: .system, admin: .superuser, byStatements: true)]

    @Test(.timeLimit(.minutes(2)), arguments: rows)
    func conforms(_ row: Row) async throws {
        let server = try TestServer.shared(row.version)
        let proxy = try TestProxy(to: server)
        let bench = try await BackendBench(row.version, row.admin, host: proxy.host) { group, _ in
            let creation = """
                CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' INHERIT;
                GRANT \(group) TO "{{name}}";
                """
            return [
                "app": PostgresRole(
                    row.byStatements ? .statements(creation: creation) : .memberOf(group),
                    ttl: .seconds(3_600),
                    maximum: .seconds(86_400),
                    iterations: 1
                )
            ]
        }
        var suite = SecretBackendConformance(bench.backend, request: "app", time: SystemTime())
        suite.isUsable = { try await bench.opens($0) }
        suite.secretBytes = { $0.password.withBytes { Array($0) } }
        suite.unknownRequest = "nobody"
        suite.unknownPath = "creds/nobody"
        suite.endAtTarget = { handle in
            let seconds = "extract(epoch FROM rolvaliduntil)::bigint"
            let result = try await server.sql("SELECT \(seconds) FROM pg_roles WHERE rolname = '\(handle.name)'")
            return result[0].first.flatMap { Int64($0) }.map { LeaseInstant(secondsSinceEpoch: $0) }
        }
        suite.hang = { proxy.set(.silence) }
        suite.release = {
            proxy.set(.none)
            proxy.cutAll()
        }
        suite.hangTimeout = .seconds(4)
        try await suite.run()
    }
}
