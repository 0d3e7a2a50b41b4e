// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Users are made as their role says, at once or not at all.
@Suite struct PostgresIssueTests {
    /// The statements of the usual tutorials, as they stand there.
    static let tutorials = [
        """
        CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' INHERIT;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";
        """,
        """
        CREATE USER "{{username}}" WITH PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{{username}}";
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{{username}}";
        """,
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN
                CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
            END IF;
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), '{{name}}');
        END
        $$;
        """,
        """
        CREATE ROLE {{name}} LOGIN PASSWORD {{password}};
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {{name}};
        """,
    ]

    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func tutorialsWork(_ version: ServerVersion) async throws {
        let server = try TestServer(version)
        try await server.sql("CREATE TABLE public.orders (a serial)")
        let bench = try await BackendBench(version, server: server) { _, _ in
            let roles = Self.tutorials.enumerated().map { place, creation in
                let role = PostgresRole(
                    .statements(creation: creation),
                    ttl: .seconds(3_600),
                    maximum: .seconds(86_400)
                )
                return ("role\(place)", role)
            }
            return Dictionary(uniqueKeysWithValues: roles)
        }
        let report = try await bench.backend.preflight()
        #expect(report.isReady, "\(report)")
        for place in Self.tutorials.indices {
            let made = try await bench.issue("role\(place)")
            #expect(try await bench.opens(made.credential))
            let question = "SELECT rolvaliduntil > now() FROM pg_roles WHERE rolname = '\(made.name)'"
            #expect(try await server.sql(question)[0].first == "t")
            #expect(try await bench.revoke(made) == .revoked)
            #expect(try await !bench.exists(made.name))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aUserIsAsItsRoleSays() async throws {
        let bench = try await BackendBench { group, _ in
            [
                "app": PostgresRole(
                    .memberOf(group),
                    userName: UserNameTemplate(prefix: "svc", parts: [.label, .role]),
                    iterations: 1,
                    connectionLimit: 1,
                    settings: ["statement_timeout": "7s", "leasekit.owner": "it's"]
                )
            ]
        }
        let call = bench.call(ttl: .seconds(600))
        let request = PostgresRequest(role: "app", label: "Billing")
        var handle = try bench.backend.prepare(request, call)
        let credential = try await bench.backend.issue(request, as: &handle, call).secret
        #expect(credential.username == "svc_\(call.id)_billing_app")
        let holder = bench.holder(credential, maxConnections: 2)
        #expect(try await holder.run("SHOW statement_timeout", "SHOW leasekit.owner").map(\.first) == ["7s", "it's"])
        let facts = try await bench.server.sql(
            """
            SELECT rolconnlimit, shobj_description(oid, 'pg_authid'),
                abs(extract(epoch FROM rolvaliduntil - now()) - 610) < 5 FROM pg_roles WHERE rolname = '\(handle.name)'
            """
        )
        #expect(facts[0].rows[0][0] == "1")
        #expect(
            facts[0].rows[0][1]?.hasPrefix("leasekit/1 \(bench.deployment) \(call.id) epoch=1 role=app made=") == true
        )
        #expect(facts[0].rows[0][2] == "t")
        #expect(try await bench.revoke(.init(credential: credential, handle: handle, call: call)) == .revoked)
        await holder.close()
    }

    /// Without serialising, more than half of these fail with *tuple concurrently updated* or a deadlock.
    @Test(.timeLimit(.minutes(2)), arguments: ServerVersion.allCases)
    func issuesAtOnceThatGrantOnManyTables(_ version: ServerVersion) async throws {
        let server = try TestServer(version)
        try await server.sql(
            "DO $$ BEGIN FOR i IN 1..200 LOOP EXECUTE 'CREATE TABLE t' || i || ' (a int)'; END LOOP; END $$"
        )
        let bench = try await BackendBench(version, server: server, maxConnections: 8) { _, _ in
            let creation = """
                CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}';
                GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";
                """
            return ["app": PostgresRole(.statements(creation: creation), iterations: 1)]
        }
        let made = try await withThrowingTaskGroup(of: [BackendBench.Made].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var made: [BackendBench.Made] = []
                    for _ in 0..<25 { made.append(try await bench.issue()) }
                    return made
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(made.count == 200)
        // And all of them ended, by several revokers at once.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in stride(from: 0, to: made.count, by: 40) {
                group.addTask {
                    let batch = made[start..<(start + 40)].map {
                        BatchItem(handle: $0.handle, call: bench.call($0.call.id, timeout: .seconds(100)))
                    }
                    let answers = await bench.backend.revoke(batch).map { try? $0.get() }
                    #expect(answers.allSatisfy { $0 == .revoked })
                }
            }
            try await group.waitForAll()
        }
        let left = try await server.sql(
            "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lk\\_%'",
            "SELECT count(*) FROM pg_class WHERE relname LIKE 't%' AND relacl::text LIKE '%lk\\_%'"
        )
        #expect(left.map(\.first) == ["0", "0"])
    }

    @Test(.timeLimit(.minutes(1)))
    func revokersOfOneUserAtOnce() async throws {
        let bench = try await BackendBench(maxConnections: 8)
        for _ in 0..<10 {
            let made = try await bench.issue()
            let outcomes = try await withThrowingTaskGroup(of: RevocationOutcome.self) { group in
                for _ in 0..<8 { group.addTask { try await bench.revoke(made) } }
                return try await group.reduce(into: [RevocationOutcome]()) { $0.append($1) }
            }
            #expect(outcomes.contains(.revoked))
            #expect(outcomes.allSatisfy { $0 == .revoked || $0 == .alreadyGone })
            #expect(try await !bench.exists(made.name))
        }
    }

    /// A request that the server comes to only after its deadline does nothing.
    @Test(.timeLimit(.minutes(1)))
    func aLateRequestDoesNothing() async throws {
        let bench = try await BackendBench()
        _ = try await bench.backend.fingerprint(bench.call())
        let call = bench.call(timeout: .milliseconds(900))
        let handle = try bench.backend.prepare("app", call)
        // Somebody keeps the name's lock until the deadline is over.
        let blocker = LibPQClient(bench.server.configuration(maxConnections: 1))
        let key = try #require(try await lockKey(of: handle.name))
        try await blocker.withSession(database: nil, timeout: .seconds(20)) { session in
            _ = try await session.run(["BEGIN", PostgresStatement("SELECT pg_advisory_xact_lock($1::bigint)", [key])])
            var late = handle
            await #expect(throws: BackendFailure.self) { try await bench.backend.issue("app", as: &late, call) }
            _ = try await session.run(["SELECT pg_sleep(1)", "COMMIT"])
        }
        #expect(try await !bench.exists(handle.name))
        // Its deadline is part of the handle: what is not there now cannot come any more.
        let later = bench.call(call.id)
        var outcome = try await bench.backend.revoke(handle, later)
        if outcome == .alreadyGone {
            try await bench.time.sleep(until: bench.time.read().continuous + .seconds(2))
            outcome = try await bench.backend.revoke(handle, bench.call(call.id))
        }
        #expect(outcome == .provenGone)
        await blocker.close()
    }

    private func lockKey(of name: String) async throws -> String? {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return "\(Int64(bitPattern: hash))"
    }

    @Test(.timeLimit(.minutes(1)))
    func aNameThatIsTakenIsLeftAlone() async throws {
        let bench = try await BackendBench()
        let call = bench.call()
        var handle = try bench.backend.prepare("app", call)
        try await bench.server.sql("CREATE ROLE \(handle.name) LOGIN")
        let failure = await #expect(throws: BackendFailure.self) {
            try await bench.backend.issue("app", as: &handle, call)
        }
        #expect(failure?.kind == .denied)
        #expect(try await bench.backend.revoke(handle, bench.call(call.id)) == .notOurs)
        #expect(try await bench.exists(handle.name))
    }

    @Test(.timeLimit(.minutes(1)))
    func whatTheServerRefusesIsSaid() async throws {
        let bench = try await BackendBench { _, _ in
            [
                "app": PostgresRole(.memberOf("nobody_at_all"), iterations: 1),
                "late": PostgresRole(.statements(creation: "CREATE ROLE {{name}} PASSWORD {{password}}; SELECT 1/0")),
            ]
        }
        for role in ["app", "late"] {
            let failure = await #expect(throws: BackendFailure.self) { try await bench.issue(role) }
            #expect(failure?.kind == .denied)
            #expect(failure?.scope == .lease)
        }
        let left = try await bench.server.sql(
            "SELECT 1 FROM pg_shdescription WHERE description LIKE 'leasekit/1 \(bench.deployment) %'"
        )
        #expect(left[0].rows.isEmpty)
    }

    @Test(.timeLimit(.minutes(1)))
    func rollbackStatementsRun() async throws {
        let bench = try await BackendBench { _, owner in
            [
                "app": PostgresRole(
                    .statements(
                        creation: "CREATE ROLE {{name}} PASSWORD {{password}}; SELECT nothing()",
                        rollback: ["COMMENT ON ROLE \(owner) IS '{{name}}'"]
                    ),
                    iterations: 1
                )
            ]
        }
        await #expect(throws: BackendFailure.self) { try await bench.issue() }
        let comment = try await bench.server.sql(
            "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '\(bench.owner)'"
        )
        #expect(comment[0].first?.hasPrefix("lk_") == true)
    }
}

/// Renewals move the server's own end.
@Suite struct PostgresRenewTests {
    @Test(.timeLimit(.minutes(1)), arguments: BackendBench.Admin.allCases)
    func movesTheEnd(_ admin: BackendBench.Admin) async throws {
        let bench = try await BackendBench(.sixteen, admin) { group, owner in
            [
                "app": PostgresRole(.memberOf(group), iterations: 1),
                "own": PostgresRole(
                    .statements(
                        creation: "CREATE ROLE {{name}} LOGIN PASSWORD {{password}} VALID UNTIL {{expiration}}",
                        renewal: ["ALTER ROLE {{name}} VALID UNTIL '{{expiration}}' CONNECTION LIMIT 3"]
                    ),
                    iterations: 1
                ),
            ]
        }
        for (role, limit) in [("app", "-1"), ("own", "3")] {
            let made = try await bench.issue(role)
            var handle = made.handle
            let call = bench.call(made.call.id, ttl: .seconds(7_200), role: role)
            #expect(try await bench.backend.renew(&handle, call).expiresAt == call.expiresAt)
            let found = try await bench.server.sql(
                """
                SELECT abs(extract(epoch FROM rolvaliduntil - now()) - 7210) < 5, rolconnlimit
                FROM pg_roles WHERE rolname = '\(made.name)'
                """
            )
            #expect(found[0].rows[0] == ["t", limit])
            #expect(try await bench.revoke(made) == .revoked)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aUserDroppedByHandIsGone() async throws {
        let bench = try await BackendBench()
        let made = try await bench.issue()
        try await bench.server.sql("DROP ROLE \(made.name)")
        var handle = made.handle
        let failure = await #expect(throws: BackendFailure.self) {
            try await bench.backend.renew(&handle, bench.call(made.call.id))
        }
        #expect(failure?.kind == .gone)
        #expect(try await bench.revoke(made) == .alreadyGone)
        // Somebody else's of the same name is not renewed either, and not ended.
        try await bench.server.sql("CREATE ROLE \(made.name)", "COMMENT ON ROLE \(made.name) IS 'mine'")
        await #expect(throws: BackendFailure.self) { try await bench.backend.renew(&handle, bench.call(made.call.id)) }
        #expect(try await bench.revoke(made) == .notOurs)
    }
}
