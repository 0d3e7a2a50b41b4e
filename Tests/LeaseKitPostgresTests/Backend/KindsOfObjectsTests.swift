// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Every kind of object that PostgreSQL has rights and owners for.
@Suite(.serialized) struct KindsOfObjectsTests {
    static let rights = [
        "SELECT ON LARGE OBJECT 4711", "USAGE ON LANGUAGE plpgsql", "USAGE ON FOREIGN DATA WRAPPER wrapper",
        "USAGE ON FOREIGN SERVER server", "CREATE ON TABLESPACE space", "SET, ALTER SYSTEM ON PARAMETER log_statement",
        "SET ON PARAMETER \"Odd.Name\"", "USAGE ON TYPE pg_catalog.timestamptz", "USAGE ON DOMAIN odd.\"A b\"",
        "EXECUTE ON PROCEDURE odd.p(timestamptz)", "EXECUTE ON FUNCTION odd.total(int)", "SELECT ON odd.\"v.w\"",
        "SELECT ON odd.outside", "USAGE ON SEQUENCE odd.q", "CREATE ON SCHEMA odd", "CONNECT ON DATABASE postgres",
        "UPDATE (a) ON odd.t", "DELETE ON odd.t", "SELECT (b), TRUNCATE ON odd.t", "INSERT (a, b), SELECT ON odd.t",
        "SELECT ON pg_catalog.pg_authid",
    ]

    private func furnish(_ server: TestServer) async throws {
        try await server.sql(
            "CREATE ROLE giver",
            "CREATE ROLE other",
            "CREATE ROLE heir",
            "SELECT lo_create(4711)",
            "CREATE SCHEMA odd",
            "CREATE FOREIGN DATA WRAPPER wrapper",
            "CREATE SERVER server FOREIGN DATA WRAPPER wrapper",
            "CREATE TABLESPACE space LOCATION ''",
            "CREATE DOMAIN odd.\"A b\" AS int",
            "CREATE SEQUENCE odd.q",
            "CREATE PROCEDURE odd.p(timestamptz) LANGUAGE sql AS ''",
            "CREATE TABLE odd.t (a int, b int)",
            "CREATE AGGREGATE odd.total(int) (SFUNC = int4pl, STYPE = int)",
            "CREATE VIEW odd.\"v.w\" AS SELECT 1",
            "CREATE FOREIGN TABLE odd.outside (a int) SERVER server",
            "GRANT USAGE ON SCHEMA odd TO giver WITH GRANT OPTION",
            "GRANT USAGE ON SCHEMA odd TO PUBLIC",
            "CREATE ROLE circle",
            "GRANT circle TO giver WITH ADMIN OPTION"
        )
        for right in Self.rights { try await server.sql("GRANT \(right) TO giver WITH GRANT OPTION") }
    }

    private func bench(_ version: ServerVersion) async throws -> BackendBench {
        let settings = ["allow_in_place_tablespaces": "on", "max_prepared_transactions": "4", "max_connections": "250"]
        let server = try await TestServer.make(version, .init(settings: settings))
        try await furnish(server)
        let options = PostgresBackend.Options(lockTimeout: .milliseconds(500), checksRoles: false)
        return try await BackendBench(version, server: server, options: options) { group, _ in
            ["app": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .reassign(to: "heir"))]
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: ServerVersion.allCases)
    func rightsOfEveryKind(_ version: ServerVersion) async throws {
        let bench = try await bench(version)
        for giver in ["postgres", "giver"] {
            let all = try await bench.issue()
            for right in Self.rights {
                let made = try await bench.issue()
                try await bench.server.sql(
                    "SET ROLE \(giver)",
                    "GRANT \(right) TO \(made.name) WITH GRANT OPTION",
                    "GRANT \(right) TO \(all.name) WITH GRANT OPTION",
                    "SET ROLE \(made.name)",
                    "GRANT \(right) TO other"
                )
                await expectEnd(made, bench, "\(right) by \(giver)")
            }
            await expectEnd(all, bench, "everything by \(giver)")
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: ServerVersion.allCases)
    func otherTies(_ version: ServerVersion) async throws {
        let bench = try await bench(version)
        let ties = [
            ["CREATE POLICY one ON odd.t TO HIM", "CREATE POLICY two ON odd.t TO HIM, other"],
            ["GRANT circle TO HIM WITH ADMIN OPTION", "SET ROLE HIM", "GRANT circle TO other"],
            ["GRANT HIM TO other WITH ADMIN OPTION", "GRANT other TO giver"],
            [
                "ALTER DEFAULT PRIVILEGES FOR ROLE giver GRANT USAGE ON SCHEMAS TO HIM",
                "ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA odd GRANT EXECUTE ON FUNCTIONS TO HIM",
                "ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA public GRANT ALL ON SEQUENCES TO HIM",
                "ALTER DEFAULT PRIVILEGES FOR ROLE HIM GRANT ALL ON TYPES TO other",
            ],
            [
                "CREATE USER MAPPING FOR HIM SERVER server",
                "ALTER ROLE HIM IN DATABASE postgres SET work_mem = '5MB'",
            ],
        ]
        for tie in ties {
            let made = try await bench.issue()
            let client = LibPQClient(bench.server.configuration(maxConnections: 1))
            _ = try await client.withSession(database: nil, timeout: .seconds(30)) { session in
                try await session.run(tie.map { PostgresStatement($0.replacing("HIM", with: made.name)) })
            }
            await client.close()
            await expectEnd(made, bench, tie[0])
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: ServerVersion.allCases)
    func ownersOfEveryKind(_ version: ServerVersion) async throws {
        let bench = try await bench(version)
        let made = try await bench.issue()
        let name = made.name
        try await bench.server.sql(
            "CREATE DATABASE \"owned;db\" OWNER \(name)",
            "CREATE TABLESPACE own LOCATION ''",
            "ALTER TABLESPACE own OWNER TO \(name)",
            "GRANT CREATE ON DATABASE postgres TO \(name)",
            "GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO \(name)",
            "ALTER ROLE \(name) SUPERUSER",
            "SET ROLE \(name)",
            "CREATE SCHEMA mine",
            "CREATE TABLE mine.t (a int)",
            "CREATE VIEW mine.v AS TABLE mine.t",
            "CREATE MATERIALIZED VIEW mine.m AS TABLE mine.t",
            "CREATE TYPE mine.e AS ENUM ('x')",
            "CREATE DOMAIN mine.d AS int",
            "CREATE FUNCTION mine.f(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OPERATOR mine.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = mine.f)",
            "SELECT lo_create(815)",
            "CREATE PUBLICATION pub FOR TABLE mine.t",
            "CREATE SERVER own FOREIGN DATA WRAPPER wrapper",
            "CREATE STATISTICS mine.s ON a, (a + 1) FROM mine.t",
            "CREATE COLLATION mine.c FROM \"C\"",
            "CREATE TEXT SEARCH CONFIGURATION mine.x (COPY = simple)",
            "CREATE FOREIGN DATA WRAPPER mywrapper",
            "CREATE FUNCTION mine.g() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere' PUBLICATION pub WITH (connect = false, slot_name = NONE)",
            "RESET ROLE",
            "ALTER ROLE heir SUPERUSER"
        )
        try await bench.server.sql("SET ROLE \(name)", "CREATE TABLE there (a int)", database: "owned;db")
        await expectEnd(made, bench, "owner of everything")
        try await bench.server.sql("DROP SUBSCRIPTION sub")
    }

    /// A prepared transaction has no session that could be ended.
    @Test(.timeLimit(.minutes(2)), arguments: ServerVersion.allCases)
    func manySessionsAndAPreparedTransaction(_ version: ServerVersion) async throws {
        let bench = try await bench(version)
        let made = try await bench.issue()
        try await bench.server.sql("GRANT ALL ON SCHEMA odd TO \(bench.group)")
        let holder = bench.holder(made.credential, maxConnections: 200)
        await withTaskGroup(of: Void.self) { tasks in
            let door = Door()
            let ready = Locked(0)
            for place in 0..<200 {
                tasks.addTask {
                    _ = try? await holder.withSession(database: nil, timeout: .seconds(90)) { session in
                        _ = try await session.run(["BEGIN", PostgresStatement("SELECT \(place)")])
                        if ready.withLock({
                            $0 += 1; return $0 == 200
                        }) {
                            door.open()
                        }
                        _ = try await session.run(["SELECT pg_sleep(80)"])
                    }
                }
            }
            await door.pass()
            await expectEnd(made, bench, "two hundred sessions")
        }
        await holder.close()
        let other = try await bench.issue()
        let one = bench.holder(other.credential)
        _ = try? await one.withSession(database: nil, timeout: .seconds(30)) { session in
            try await session.run(["BEGIN", "CREATE TABLE odd.prepared (a int)", "PREPARE TRANSACTION 'p'"])
        }
        await one.close()
        let failure = await #expect(throws: BackendFailure.self) { try await bench.revoke(other) }
        #expect(failure?.code == "55P03")
        #expect(try await !bench.opens(other.credential))
        try await bench.server.sql("COMMIT PREPARED 'p'")
        await expectEnd(other, bench, "a prepared transaction")
    }

    private func expectEnd(_ made: BackendBench.Made, _ bench: BackendBench, _ what: String) async {
        do {
            #expect(try await bench.revoke(made) == .revoked, "\(what)")
            #expect(try await !bench.exists(made.name), "\(what)")
        } catch {
            Issue.record("\(what): \(error)")
        }
    }
}
