// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Whatever a user was given, and whatever it owns: it is dropped, or what keeps it is named.
@Suite struct CleaningTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let version: ServerVersion
        let admin: BackendBench.Admin
        var testDescription: String { "\(version), \(admin)" }
    }

    static let rows = ServerVersion.allCases.flatMap { version in
        BackendBench.Admin.allCases.map { Row(version: version, admin: $0) }
    }

    /// A thing that a user may hold: what to run as the owner, with `USER` for its name.
    struct Holding: Sendable {
        let name: String
        let statements: [String]
        var isElsewhere = false
    }

    static func holdings(_ tail: String, owner: String, group: String) -> [Holding] {
        let schemas = ["public", "s_\(tail)", "\"odd \"\"S;\(tail)\""]
        return [
            Holding(
                name: "table rights in three schemas",
                statements: schemas.map { "GRANT SELECT ON \($0).t_\(tail) TO USER" }
            ),
            Holding(name: "a sequence", statements: ["GRANT USAGE ON SEQUENCE s_\(tail).q TO USER"]),
            Holding(name: "a function", statements: ["GRANT EXECUTE ON FUNCTION s_\(tail).f(int) TO USER"]),
            Holding(name: "a type", statements: ["GRANT USAGE ON TYPE s_\(tail).e TO USER"]),
            Holding(name: "a schema", statements: ["GRANT USAGE ON SCHEMA s_\(tail) TO USER"]),
            Holding(name: "TEMP on a database", statements: ["GRANT TEMP ON DATABASE d_\(tail) TO USER"]),
            Holding(
                name: "default privileges",
                statements: ["ALTER DEFAULT PRIVILEGES IN SCHEMA s_\(tail) GRANT SELECT ON TABLES TO USER"]
            ),
            Holding(
                name: "rights in another database",
                statements: ["GRANT SELECT ON there TO USER"],
                isElsewhere: true
            ),
            Holding(name: "columns", statements: ["GRANT SELECT (a), UPDATE (b) ON s_\(tail).t_\(tail) TO USER"]),
            Holding(
                name: "rights to give on",
                statements: ["GRANT SELECT ON s_\(tail).t_\(tail) TO USER WITH GRANT OPTION"]
            ),
        ]
    }

    /// Makes what rights are given on, all of it the owner's.
    private func furnish(_ bench: BackendBench) async throws {
        let tail = bench.tail
        try await bench.server.sql("CREATE DATABASE d_\(tail) OWNER \(bench.owner)")
        // The schema's rights are one row, and other tests are at it too.
        var statements = [
            "BEGIN", "SELECT pg_advisory_xact_lock(1)", "GRANT CREATE ON SCHEMA public TO \(bench.owner)", "COMMIT",
        ]
        for schema in ["s_\(tail)", "\"odd \"\"S;\(tail)\""] {
            statements.append("CREATE SCHEMA \(schema) AUTHORIZATION \(bench.owner)")
        }
        statements.append("SET ROLE \(bench.owner)")
        for schema in ["public", "s_\(tail)", "\"odd \"\"S;\(tail)\""] {
            statements.append("CREATE TABLE \(schema).t_\(tail) (a int, b int)")
        }
        statements += [
            "CREATE SEQUENCE s_\(tail).q", "CREATE TYPE s_\(tail).e AS ENUM ('x')",
            "CREATE FUNCTION s_\(tail).f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ]
        try await run(statements, on: bench)
        try await run(
            ["SET ROLE \(bench.owner)", "CREATE TABLE public.there (a int)"],
            on: bench,
            database: "d_\(tail)"
        )
    }

    private func run(_ statements: [String], on bench: BackendBench, database: String? = nil) async throws {
        let client = LibPQClient(bench.server.configuration(maxConnections: 1))
        _ = try await client.withSession(database: database, timeout: .seconds(30)) { session in
            try await session.run(statements.map { PostgresStatement($0) })
        }
        await client.close()
    }

    @Test(.timeLimit(.minutes(2)), arguments: rows)
    func everythingIsTakenBack(_ row: Row) async throws {
        let bench = try await BackendBench(row.version, row.admin) { group, owner in
            ["app": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .reassign(to: owner))]
        }
        try await furnish(bench)
        for holding in Self.holdings(bench.tail, owner: bench.owner, group: bench.group) {
            let made = try await bench.issue()
            let database = holding.isElsewhere ? "d_\(bench.tail)" : nil
            let grants = holding.statements.map { $0.replacing("USER", with: made.name) }
            try await run(["SET ROLE \(bench.owner)"] + grants, on: bench, database: database)
            await expectDropped(made, bench, holding.name)
        }
        // What it was not given by the owner.
        let owning = try await bench.issue()
        try await run(
            [
                "GRANT CREATE ON SCHEMA s_\(bench.tail) TO \(bench.group)", "SET ROLE \(owning.name)",
                "CREATE TABLE s_\(bench.tail).mine (a int)",
                "ALTER DEFAULT PRIVILEGES IN SCHEMA s_\(bench.tail) GRANT SELECT ON TABLES TO PUBLIC",
            ],
            on: bench
        )
        await expectDropped(owning, bench, "an owned table")
        let kept = try await bench.server.sql("SELECT tableowner FROM pg_tables WHERE schemaname = 's_\(bench.tail)'")
        #expect(kept[0].rows.allSatisfy { $0[0] == bench.owner })
        let settled = try await bench.issue()
        try await bench.server.sql(
            "ALTER ROLE \(settled.name) SET work_mem = '5MB'",
            "GRANT pg_monitor TO \(settled.name)"
        )
        await expectDropped(settled, bench, "settings and memberships")
    }

    /// All of it at once, for several users in one batch.
    @Test(.timeLimit(.minutes(1)), arguments: rows)
    func aBatchIsTakenBack(_ row: Row) async throws {
        let bench = try await BackendBench(row.version, row.admin)
        try await furnish(bench)
        var all: [BackendBench.Made] = []
        for place in 0..<6 {
            let made = try await bench.issue()
            all.append(made)
            if place == 5 { continue }
            for holding in Self.holdings(bench.tail, owner: bench.owner, group: bench.group) {
                if holding.isElsewhere != (place == 4) { continue }
                let grants = holding.statements.map { $0.replacing("USER", with: made.name) }
                let database = holding.isElsewhere ? "d_\(bench.tail)" : nil
                try await run(["SET ROLE \(bench.owner)"] + grants, on: bench, database: database)
            }
        }
        let batch = all.map { BatchItem(handle: $0.handle, call: bench.call($0.call.id, timeout: .seconds(50))) }
        let answers = await bench.backend.revoke(batch)
        for answer in answers { #expect(try answer.get() == .revoked) }
        for made in all { #expect(try await !bench.exists(made.name)) }
    }

    /// Rights that somebody gave on the strength of a grant option are taken back in that one's place.
    @Test(.timeLimit(.minutes(1)), arguments: rows)
    func rightsOfAnotherGrantor(_ row: Row) async throws {
        let bench = try await BackendBench(row.version, row.admin)
        try await furnish(bench)
        let middle = "middle_\(bench.tail)"
        try await bench.server.sql("CREATE ROLE \(middle)")
        if row.admin == .createRole {
            try await bench.server.sql("GRANT \(middle) TO \(bench.admin) WITH ADMIN OPTION")
        }
        let table = "s_\(bench.tail).t_\(bench.tail)"
        let made = try await bench.issue()
        try await run(
            [
                "SET ROLE \(bench.owner)", "GRANT USAGE ON SCHEMA s_\(bench.tail) TO \(middle)",
                "GRANT SELECT ON \(table) TO \(middle) WITH GRANT OPTION", "SET ROLE \(middle)",
                "GRANT SELECT ON \(table) TO \(made.name)",
            ],
            on: bench
        )
        await expectDropped(made, bench, "another grantor's rights")
        let left = try await bench.server.sql("SELECT has_table_privilege('\(middle)', '\(table)', 'SELECT')")
        #expect(left[0].first == "t", "the grantor keeps its own")
    }

    /// Where the admin cannot act for who gave the rights, the lease is stuck and says why; the user is locked out.
    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func stuckWithItsReasons(_ version: ServerVersion) async throws {
        let bench = try await BackendBench(version, .createRole)
        try await furnish(bench)
        // Of the superuser, for whom nobody else can act.
        try await bench.server.sql("CREATE TABLE public.root_\(bench.tail) (a int)")
        let made = try await bench.issue()
        try await bench.server.sql("GRANT SELECT ON public.root_\(bench.tail) TO \(made.name)")
        let inside = bench.holder(made.credential)
        try await inside.run("SELECT 1")
        let failure = await #expect(throws: BackendFailure.self) { try await bench.revoke(made) }
        #expect(failure?.kind == .denied)
        #expect(failure?.scope == .lease)
        #expect(failure?.message.contains("table public.root_\(bench.tail)") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("postgres") == true, "\(failure?.message ?? "")")
        #expect(try await !bench.opens(made.credential))
        let sessions = try await bench.server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(made.name)'"
        )
        #expect(sessions[0].first == "0")
        // Somebody helps; then it goes.
        try await bench.server.sql("REVOKE ALL ON public.root_\(bench.tail) FROM \(made.name)")
        #expect(try await bench.revoke(made) == .revoked)
        await inside.close()
    }

    /// One that the admin has lost its hold of does not keep the others of its batch.
    @Test(.timeLimit(.minutes(1)))
    func oneOfABatchIsOutOfReach() async throws {
        let bench = try await BackendBench(.sixteen, .createRole)
        var made: [BackendBench.Made] = []
        for _ in 0..<4 { made.append(try await bench.issue()) }
        try await bench.server.sql("REVOKE \(made[1].name) FROM \(bench.admin)")
        let batch = made.map { BatchItem(handle: $0.handle, call: bench.call($0.call.id)) }
        let answers = await bench.backend.revoke(batch)
        for (place, answer) in answers.enumerated() {
            switch answer {
            case .success(let outcome): #expect(outcome == .revoked && place != 1)
            case .failure(let error):
                #expect(place == 1)
                #expect((error as? BackendFailure)?.kind == .denied)
            }
            #expect(try await bench.exists(made[place].name) == (place == 1))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: rows)
    func ownedObjectsByTheRolesWish(_ row: Row) async throws {
        let bench = try await BackendBench(row.version, row.admin) { group, owner in
            [
                "refuse": PostgresRole(.memberOf(group), iterations: 1),
                "drop": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .drop),
            ]
        }
        try await furnish(bench)
        try await bench.server.sql("GRANT ALL ON SCHEMA s_\(bench.tail) TO \(bench.group)")
        let keeper = try await bench.issue("refuse")
        try await run(["SET ROLE \(keeper.name)", "CREATE TABLE s_\(bench.tail).kept (a int)"], on: bench)
        let failure = await #expect(throws: BackendFailure.self) { try await bench.revoke(keeper) }
        #expect(failure?.kind == .denied)
        #expect(failure?.message.contains("s_\(bench.tail).kept") == true, "\(failure?.message ?? "")")
        #expect(try await !bench.opens(keeper.credential))
        let dropper = try await bench.issue("drop")
        try await run(["SET ROLE \(dropper.name)", "CREATE TABLE s_\(bench.tail).gone (a int)"], on: bench)
        await expectDropped(dropper, bench, "objects to drop")
        let tables = try await bench.server.sql("SELECT tablename FROM pg_tables WHERE schemaname = 's_\(bench.tail)'")
        let names = Set(tables[0].rows.compactMap { $0[0] })
        #expect(names.contains("kept"))
        #expect(!names.contains("gone"))
    }

    private func expectDropped(_ made: BackendBench.Made, _ bench: BackendBench, _ what: String) async {
        do {
            let outcome = try await bench.revoke(made)
            #expect(outcome == .revoked, "\(what)")
            #expect(try await !bench.exists(made.name), "\(what)")
            #expect(try await !bench.opens(made.credential), "\(what)")
            #expect(try await bench.revoke(made) == .alreadyGone, "\(what)")
        } catch {
            Issue.record("\(what): \(error)")
        }
    }
}
