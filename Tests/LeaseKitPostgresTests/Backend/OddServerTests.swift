// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitPostgres

/// Servers, databases and roles as operators leave them.
@Suite(.serialized) struct OddServerTests {
    /// It is that lease's trouble, and not that of every lease of the mount.
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func aDatabaseThatLetsNobodyInIsAboutOneUser(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin)
        let place = "shut_\(bench.tail)"
        try await bench.server.sql("CREATE DATABASE \(place)")
        let made = try await bench.issue()
        try await bench.server.sql("CREATE TABLE t (a int)", "GRANT SELECT ON t TO \(made.name)", database: place)
        try await bench.server.sql("ALTER DATABASE \(place) ALLOW_CONNECTIONS false")
        let failure = await #expect(throws: BackendFailure.self) { try await bench.revoke(made) }
        #expect(failure?.scope == .lease)
        #expect(failure?.kind == .denied)
        #expect(failure?.message.contains(place) == true, "\(failure?.message ?? "")")
        #expect(try await !bench.opens(made.credential))
        try await bench.server.sql("DROP DATABASE \(place)")
        #expect(try await bench.revoke(made) == .revoked)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func aDatabaseThatIsFullIsAboutOneUser(_ version: ServerVersion) async throws {
        let bench = try await BackendBench(version, .createRole)
        let place = "full_\(bench.tail)"
        try await bench.server.sql("CREATE DATABASE \(place) CONNECTION LIMIT 0")
        let made = try await bench.issue()
        try await bench.server.sql("CREATE TABLE t (a int)", "GRANT SELECT ON t TO \(made.name)", database: place)
        let failure = await #expect(throws: BackendFailure.self) { try await bench.revoke(made) }
        #expect(failure?.scope == .lease)
        #expect(failure?.kind == .transient)
        #expect(failure?.message.contains(place) == true, "\(failure?.message ?? "")")
    }

    @Test(.timeLimit(.minutes(1)))
    func aDatabaseThatIsDroppedMeanwhileKeepsNobody() async throws {
        let bench = try await BackendBench()
        let place = "gone_\(bench.tail)"
        try await bench.server.sql("CREATE DATABASE \(place)")
        let made = try await bench.issue()
        try await bench.server.sql("CREATE TABLE t (a int)", "GRANT SELECT ON t TO \(made.name)", database: place)
        let client = HookedClient(bench.client) { session in
            // After the look of the clean-up, and before it goes there.
            if session == 2 { try await bench.server.sql("DROP DATABASE \(place)") }
        }
        let backend = try PostgresBackend(client: client, roles: ["app": PostgresRole(.memberOf(bench.group))])
        _ = try await backend.preflight()
        client.begin()
        #expect(try await backend.revoke(made.handle, bench.call(made.call.id)) == .revoked)
    }

    /// The dead-man end moves with the lease, whatever the statements say of it.
    @Test(.timeLimit(.minutes(1)))
    func theEndMovesAlsoWhereStatementsDoNotMoveIt() async throws {
        let bench = try await BackendBench { _, _ in
            [
                "app": PostgresRole(
                    .statements(
                        creation: "CREATE ROLE {{name}} LOGIN PASSWORD {{password}}",
                        "SELECT {{expiration}}",
                        renewal: ["COMMENT ON DATABASE postgres IS '{{name}}'"]
                    ),
                    iterations: 1
                )
            ]
        }
        let made = try await bench.issue(ttl: .seconds(600))
        // Machines that run tests are slow at times.
        func isLeft(_ seconds: Int) async throws -> Bool {
            let left = "SELECT extract(epoch FROM rolvaliduntil - now()) FROM pg_roles WHERE rolname = '\(made.name)'"
            let answer = try await bench.server.sql(left)[0].first.flatMap { Double($0) } ?? .infinity
            return (Double(seconds - 60)...Double(seconds + 20)).contains(answer)
        }
        #expect(try await isLeft(600))
        var handle = made.handle
        _ = try await bench.backend.renew(&handle, bench.call(made.call.id, ttl: .seconds(7_200)))
        #expect(try await isLeft(7_200))
        #expect(try await bench.revoke(made) == .revoked)
    }

    /// A server whose clock was set, or another one that took over.
    @Test(.timeLimit(.minutes(1)))
    func aClockThatJumpedIsReadAgain() async throws {
        let bench = try await BackendBench()
        let made = try await bench.issue()
        @Sendable func turnBack() {
            let now = bench.time.read()
            let hourAgo = (now.wall.nanosecondsSinceEpoch - 3_600_000_000_000) / 1_000
            bench.backend.known.withLock {
                $0.clock = ServerClock(microseconds: hourAgo, sent: now.continuous, received: now.continuous)
            }
        }
        turnBack()
        let failure = await #expect(throws: BackendFailure.self) { try await bench.issue() }
        #expect(failure?.code == "late")
        #expect(try await bench.revoke(try await bench.issue()) == .revoked)
        turnBack()
        var handle = made.handle
        await #expect(throws: BackendFailure.self) { try await bench.backend.renew(&handle, bench.call(made.call.id)) }
        _ = try await bench.backend.renew(&handle, bench.call(made.call.id))
        #expect(try await bench.revoke(made) == .revoked)
    }

    /// A setting whose value is a list of names is one in each session, too.
    @Test(.timeLimit(.minutes(1)))
    func settingsThatAreLists() async throws {
        let paths = ["public, s1": "public, s1", "\"odd, one\", Public": "\"odd, one\", public", "": "\"\""]
        let bench = try await BackendBench { group, _ in
            Dictionary(
                uniqueKeysWithValues: paths.keys.enumerated().map {
                    ("role\($0)", PostgresRole(.memberOf(group), iterations: 1, settings: ["search_path": $1]))
                }
            )
        }
        for (place, path) in paths.keys.enumerated() {
            let made = try await bench.issue("role\(place)")
            let holder = bench.holder(made.credential)
            #expect(try await holder.run("SHOW search_path")[0].first == paths[path], "\(path)")
            await holder.close()
            #expect(try await bench.revoke(made) == .revoked)
        }
    }

    /// A user's own mapping to a foreign server is nothing that anybody wants to keep.
    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func aUserMappingGoesWithItsUser(_ version: ServerVersion) async throws {
        let bench = try await BackendBench(version) { _, _ in
            [
                "app": PostgresRole(
                    .statements(
                        creation: """
                            CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}';
                            CREATE USER MAPPING FOR "{{name}}" SERVER elsewhere;
                            """
                    ),
                    iterations: 1
                )
            ]
        }
        try await bench.server.sql(
            "BEGIN",
            "SELECT pg_advisory_xact_lock(2)",
            "DROP FOREIGN DATA WRAPPER IF EXISTS nothing CASCADE",
            "CREATE FOREIGN DATA WRAPPER nothing",
            "CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing",
            "COMMIT"
        )
        #expect(try await bench.backend.preflight().isReady)
        let made = try await bench.issue()
        #expect(try await bench.revoke(made) == .revoked)
        #expect(try await bench.server.sql("SELECT 1 FROM pg_user_mappings")[0].rows.isEmpty)
    }

    /// What each user would own from its first moment, and could not be rid of, is said beforehand.
    @Test(.timeLimit(.minutes(1)))
    func statementsThatMakeWhatIsNotToBeDroppedAreFoundOut() async throws {
        let creation =
            "CREATE ROLE {{name}} LOGIN PASSWORD {{password}}; CREATE SCHEMA own_{{name}} AUTHORIZATION {{name}}"
        let bench = try await BackendBench { _, owner in
            [
                "refuse": PostgresRole(.statements(creation: creation), iterations: 1),
                "drop": PostgresRole(.statements(creation: creation), iterations: 1, ownedObjects: .drop),
                "give": PostgresRole(
                    .statements(creation: creation),
                    iterations: 1,
                    ownedObjects: .reassign(to: owner)
                ),
            ]
        }
        let report = try await bench.backend.preflight()
        #expect(report.findings.filter(\.isBlocking).map(\.role) == ["refuse"], "\(report)")
        for role in ["drop", "give"] { #expect(try await bench.revoke(try await bench.issue(role)) == .revoked) }
    }

    /// Vault's users write `DROP ROLE` themselves.
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func statementsThatDropTheUserThemselves(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin) { group, owner in
            [
                "app": PostgresRole(
                    .statements(
                        creation: "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' IN ROLE \(group)",
                        revocation: [
                            """
                            REVOKE ALL PRIVILEGES ON DATABASE postgres FROM "{{name}}"; DROP ROLE IF EXISTS "{{name}}";
                            """
                        ]
                    ),
                    iterations: 1
                )
            ]
        }
        let report = try await bench.backend.preflight()
        #expect(report.isReady, "\(report)")
        let made = try await bench.issue()
        #expect(try await bench.revoke(made) == .revoked)
        #expect(try await bench.revoke(made) == .alreadyGone)
    }

    /// Before 16 such an admin cannot act for users that it joins.
    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func anAdminThatInheritsNothing(_ version: ServerVersion) async throws {
        let bench = try await BackendBench(version, .createRole)
        try await bench.server.sql("ALTER ROLE \(bench.admin) NOINHERIT")
        let report = try await bench.backend.preflight()
        #expect(report.isReady == (version == .sixteen), "\(report)")
        if let finding = report.findings.first, finding.isBlocking {
            #expect(finding.remedy == "ALTER ROLE \"\(bench.admin)\" INHERIT")
            return
        }
        let made = try await bench.issue()
        try await bench.server.sql(
            "CREATE TABLE inh_\(bench.tail) (a int)",
            "ALTER TABLE inh_\(bench.tail) OWNER TO \(bench.owner)",
            "GRANT SELECT ON inh_\(bench.tail) TO \(made.name)"
        )
        #expect(try await bench.revoke(made) == .revoked)
    }

    /// Who waits for the making of a user sees it, also where transactions see only what was there when they began.
    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func transactionsThatSeeThePastByDefault(_ version: ServerVersion) async throws {
        let server = try await TestServer.make(
            version,
            .init(settings: ["default_transaction_isolation": "serializable"])
        )
        let bench = try await BackendBench(version, server: server)
        #expect(try await bench.revoke(try await bench.issue()) == .revoked)
        let call = bench.call()
        let handle = try bench.backend.prepare("app", call)
        let tag = RoleTag(mark: call.mark, role: "app", madeAt: nil, until: nil).text
        let maker = LibPQClient(server.configuration(maxConnections: 1))
        try await maker.withSession(database: nil, timeout: .seconds(30)) { session in
            _ = try await session.run([
                "BEGIN", SQLTexts.lock([handle.name], as: "maker"),
                PostgresStatement("CREATE ROLE \(handle.name) LOGIN"),
                PostgresStatement("COMMENT ON ROLE \(handle.name) IS '\(tag)'"),
            ])
            async let outcome = bench.backend.revoke(handle, call)
            let waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while try await server.sql(waiting)[0].rows.isEmpty {}
            _ = try await session.run(["COMMIT"])
            #expect(try await outcome == .revoked)
        }
        await maker.close()
    }

    @Test func damagedBytesAreNoField() {
        for text in ["9223372036854775807:a,", "3:ab", "-1:,", "99999999999999999999:a,", ":", "1:é,"] {
            var reader = FieldReader(Array(text.utf8))
            #expect(reader.next() == nil, "\(text)")
        }
    }
}
