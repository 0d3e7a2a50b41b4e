// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// What the admin lacks is said before the first issue.
@Suite struct PreflightTests {
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func everythingIsWell(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin) { group, owner in
            [
                "app": PostgresRole(
                    .memberOf(group),
                    iterations: 1,
                    databases: ["postgres"],
                    ownedObjects: .reassign(to: owner)
                ),
                "own": PostgresRole(
                    .statements(creation: "CREATE ROLE {{name}} LOGIN PASSWORD {{password}} IN ROLE \(group)"),
                    iterations: 1
                ),
            ]
        }
        let report = try await bench.backend.preflight()
        #expect(report.isReady, "\(report)")
        #expect(report.findings.count == (row.admin == .superuser ? 1 : 0), "\(report)")
        let left = try await bench.server.sql("SELECT 1 FROM pg_roles WHERE rolname LIKE 'lk%preflight'")
        #expect(left[0].rows.isEmpty, "the trial leaves nothing behind")
    }

    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func namesWhatIsMissing(_ version: ServerVersion) async throws {
        let bench = try await BackendBench(version, .createRole, ownsOwner: false) { group, owner in
            [
                "fine": PostgresRole(.memberOf(group), iterations: 1),
                "nogroup": PostgresRole(.memberOf("nobody_at_all"), iterations: 1),
                "owner": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .reassign(to: owner)),
                "root": PostgresRole(.memberOf("postgres"), iterations: 1),
                "place": PostgresRole(.memberOf(group), iterations: 1, databases: ["no_such_database"]),
                "grants": PostgresRole(
                    .statements(
                        creation:
                            "CREATE ROLE {{name}} LOGIN PASSWORD {{password}}; GRANT SELECT ON pg_authid TO {{name}}"
                    ),
                    iterations: 1
                ),
            ]
        }
        let report = try await bench.backend.preflight()
        let blocked = Set(report.findings.filter(\.isBlocking).compactMap(\.role))
        var expected: Set = ["nogroup", "root", "place", "grants"]
        // Since 16 an admin reaches only the roles that it was given.
        if version == .sixteen { expected.insert("owner") }
        #expect(blocked == expected, "\(report)")
        #expect(report.findings.first { $0.role == "nogroup" }?.remedy == #"CREATE ROLE "nobody_at_all" NOLOGIN"#)
        let advice = report.findings.filter { !$0.isBlocking }.map(\.role)
        #expect(advice == ["grants"])
        #expect(throws: LeaseError.self) { try report.requireReady() }
    }

    @Test(.timeLimit(.minutes(1)))
    func anAdminWithoutTheRight() async throws {
        let bench = try await BackendBench(.sixteen, .createRole)
        try await bench.server.sql("ALTER ROLE \(bench.admin) NOCREATEROLE")
        let report = try await bench.backend.preflight()
        #expect(report.findings.map(\.remedy) == ["ALTER ROLE \"\(bench.admin)\" CREATEROLE"])
        #expect(!report.isReady)
    }
}
