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
        // A superuser may do too much; one with CREATEROLE alone cannot look for stragglers.
        #expect(report.findings.count == 1, "\(report)")
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
        #expect(advice == [nil, "grants"])
        #expect(throws: LeaseError.self) { try report.requireReady() }
    }

    @Test(.timeLimit(.minutes(1)))
    func anAdminWithoutTheRight() async throws {
        let bench = try await BackendBench(.sixteen, .createRole)
        try await bench.server.sql("ALTER ROLE \(bench.admin) NOCREATEROLE")
        let report = try await bench.backend.preflight()
        let admin = "\"\(bench.admin)\""
        #expect(
            report.findings.map(\.remedy) == ["ALTER ROLE \(admin) CREATEROLE", "GRANT pg_signal_backend TO \(admin)"]
        )
        #expect(report.findings.map(\.isBlocking) == [true, false])
        #expect(!report.isReady)
    }

    /// Without anybody asking: what could be made, but not ended, is not made.
    @Test(.timeLimit(.minutes(1)))
    func theFirstIssueIsRefusedWhereTheEndWouldFail() async throws {
        let bench = try await BackendBench(.sixteen, .createRole, ownsOwner: false, options: .init()) { group, owner in
            [
                "app": PostgresRole(.memberOf(group), iterations: 1),
                "owner": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .reassign(to: owner)),
            ]
        }
        _ = try await bench.revoke(try await bench.issue("app"))
        let failure = await #expect(throws: BackendFailure.self) { try await bench.issue("owner") }
        #expect(failure?.kind == .denied && failure?.code == "preflight")
        #expect(failure?.message.contains("GRANT \"\(bench.owner)\" TO \"\(bench.admin)\" WITH ADMIN OPTION") == true)
        let made = "SELECT 1 FROM pg_shdescription WHERE description LIKE 'leasekit/1 \(bench.deployment) %'"
        #expect(try await bench.server.sql(made)[0].rows.isEmpty)
        // As soon as it is mended.
        try await bench.server.sql("GRANT \(bench.owner) TO \(bench.admin) WITH ADMIN OPTION")
        #expect(try await bench.revoke(try await bench.issue("owner")) == .revoked)
    }

    @Test(.timeLimit(.minutes(1)))
    func aMountThatIsCheckedSaysWhatIsMissing() async throws {
        let bench = try await BackendBench(.system, .createRole) { _, _ in
            ["app": PostgresRole(.memberOf("nobody_at_all"), iterations: 1)]
        }
        try await withLeaseManager { manager in
            let error = await #expect(throws: LeaseError.self) {
                _ = try await manager.mountChecked(bench.backend, at: "db")
            }
            #expect(error?.message.contains(#"CREATE ROLE "nobody_at_all" NOLOGIN"#) == true)
            try bench.backend.setRole("app", PostgresRole(.memberOf(bench.group), iterations: 1))
            let mount = try await manager.mountChecked(bench.backend, at: "db")
            let lease = try await mount.issue("app")
            #expect(try await mount.revoke(lease.id).isComplete)
        }
    }
}
