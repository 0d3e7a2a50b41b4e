// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// What a session does with its statements, on both servers.
@Suite struct SessionTests {
    private func client(_ version: ServerVersion = .system, maxConnections: Int = 4) async throws -> LibPQClient {
        LibPQClient(try await TestServer.shared(version).configuration(maxConnections: maxConnections))
    }

    @Test(arguments: ServerVersion.allCases) func readsRowsAndPassesParameters(version: ServerVersion) async throws {
        let results = try await client(version).run(
            PostgresStatement("SELECT $1::text AS a, $2::int + 1 AS b, NULL AS c", ["'; DROP TABLE x; --", "41"]),
            "SELECT generate_series(1, 3)",
            "CREATE TEMP TABLE made AS SELECT 1",
            "SHOW server_version_num"
        )
        #expect(results[0].columns == ["a", "b", "c"])
        #expect(results[0].rows == [["'; DROP TABLE x; --", "42", nil]])
        #expect(results[1].rows.map { $0[0] } == ["1", "2", "3"])
        #expect(results[2].affected == 1)
        let number = try #require(results[3].first.flatMap { Int($0) })
        #expect(version == .sixteen ? number / 10_000 == 16 : number >= 150_000)
    }

    @Test func runStopsAtTheFirstFailureAndKeepsWhatCameBefore() async throws {
        let client = try await client()
        let name = "run_stops"
        let error = try await client.failure(
            of: PostgresStatement("CREATE ROLE \(name)"),
            PostgresStatement("CREATE ROLE \(name)"),
            PostgresStatement("DROP ROLE \(name)")
        )
        #expect(error.sqlState == .duplicateObject)
        #expect(error.statement == 1)
        try await client.run(PostgresStatement("DROP ROLE \(name)"))
    }

    @Test func attemptGoesOnAfterAFailure() async throws {
        let outcomes = try await client().withSession(database: nil, timeout: .seconds(120)) { session in
            await session.attempt(["SELECT 1", "SELECT 1/0", "DROP ROLE nobody_of_that_name", "SELECT 2"])
        }
        #expect(outcomes.count == 4)
        #expect(try outcomes[0].get().first == "1")
        #expect(throws: PostgresError.self) { try outcomes[1].get() }
        let gone = #expect(throws: PostgresError.self) { try outcomes[2].get() }
        #expect(gone?.kind == .gone && gone?.statement == 2)
        #expect(try outcomes[3].get().first == "2")
    }

    @Test func aTransactionIsCarriedOutAsAWhole() async throws {
        let client = try await client()
        let results = try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            try await session.transaction(["CREATE ROLE whole_a", "CREATE ROLE whole_b", "SELECT 'done'"])
        }
        #expect(results.count == 3 && results[2].first == "done")
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            let error = await #expect(throws: PostgresError.self) {
                try await session.transaction(["DROP ROLE whole_a", "DROP ROLE whole_b", "DROP ROLE whole_c"])
            }
            #expect(error?.kind == .gone && error?.statement == 2)
            // The same connection is of use at once.
            let left = try await session.run(["SELECT count(*) FROM pg_roles WHERE rolname LIKE 'whole__'"])
            #expect(left[0].first == "2")
            _ = try await session.transaction(["DROP ROLE whole_a", "DROP ROLE whole_b"])
        }
    }

    @Test(arguments: ServerVersion.allCases)
    func transactionsStopAtTheFirstThatFails(version: ServerVersion) async throws {
        let client = try await client(version)
        let groups: [[PostgresStatement]] = [
            ["CREATE ROLE group_a", "SELECT 'one'"], ["CREATE ROLE group_b", "SELECT 1/0", "SELECT 'two'"],
            ["CREATE ROLE group_c"],
        ]
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            let outcomes = await session.transactions(groups)
            #expect(try outcomes[0].get().last?.first == "one")
            let failures = outcomes.dropFirst().map { outcome in
                #expect(throws: PostgresError.self) { try outcome.get() }
            }
            #expect(failures.map { $0?.sqlState } == [SQLState("22012"), SQLState("22012")])
            // The same connection is of use at once, and nothing of the second or third was done.
            let left = try await session.run([
                "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname LIKE 'group__'"
            ])
            #expect(left[0].first == "group_a")
            let all = await session.transactions([["DROP ROLE group_a"], ["SELECT 'two'", "SELECT 'three'"]])
            #expect(try all.map { try $0.get().last?.first } == [nil, "three"])
        }
    }

    /// What the server keeps of a statement survives a failure, and a connection that lost it makes it anew.
    @Test(arguments: [true, false]) func repeatedStatementsArePrepared(isAllowed: Bool) async throws {
        var configuration = try await TestServer.shared(.system).configuration(maxConnections: 1)
        configuration.preparesStatements = isAllowed
        let client = LibPQClient(configuration)
        let kept = PostgresStatement("SELECT count(*) FROM pg_prepared_statements")
        @Sendable func sum(_ text: String) -> PostgresStatement {
            PostgresStatement("SELECT 10 / $1::int", [text], isRepeated: true)
        }
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            let first = try await session.transaction([sum("5"), sum("2")])
            #expect(first.map(\.first) == ["2", "5"])
            #expect(try await session.run([kept])[0].first == (isAllowed ? "1" : "0"))
            let error = await #expect(throws: PostgresError.self) {
                try await session.transaction([sum("1"), sum("0")])
            }
            #expect(error?.statement == 1)
            let outcomes = await session.attempt([sum("0"), sum("10")])
            #expect(try outcomes[1].get().first == "1")
            // As a pooler does that hands out another connection.
            _ = try await session.run(["DEALLOCATE ALL"])
            let lost = await session.attempt([sum("1")])
            if isAllowed {
                let error = #expect(throws: PostgresError.self) { try lost[0].get() }
                #expect(error?.kind == .conflict)
            }
            #expect(try await session.transaction([sum("1")])[0].first == "10")
            #expect(try await session.run([kept])[0].first == (isAllowed ? "1" : "0"))
        }
        await client.close()
    }

    @Test func aConstraintThatIsCheckedAtTheCommitFailsTheTransaction() async throws {
        let client = try await client(maxConnections: 1)
        try await client.run(
            "CREATE TABLE deferred_one (id int PRIMARY KEY)",
            "CREATE TABLE deferred_two (id int REFERENCES deferred_one DEFERRABLE INITIALLY DEFERRED)"
        )
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            let error = await #expect(throws: PostgresError.self) {
                try await session.transaction(["INSERT INTO deferred_two VALUES (1)"])
            }
            #expect(error?.code == "23503" && error?.kind == .refused)
            // On its own it is committed at the end of its round trip, and fails there.
            let alone = await session.attempt(["INSERT INTO deferred_two VALUES (1)", "SELECT 1"])
            let late = #expect(throws: PostgresError.self) { try alone[0].get() }
            #expect(late?.code == "23503")
            let next = try alone[1].get()
            #expect(next.first == "1")
        }
        try await client.run("DROP TABLE deferred_two", "DROP TABLE deferred_one")
    }

    @Test func aTransactionCanBeLedByHand() async throws {
        try await client(maxConnections: 1).withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["BEGIN", "CREATE ROLE by_hand"])
            let inside = try await session.run(["SELECT count(*) FROM pg_roles WHERE rolname = 'by_hand'"])
            #expect(inside[0].first == "1")
            let nested = await #expect(throws: PostgresError.self) { try await session.transaction(["SELECT 1"]) }
            #expect(nested?.code == "misuse")
            _ = try await session.run(["ROLLBACK"])
            let after = try await session.run(["SELECT count(*) FROM pg_roles WHERE rolname = 'by_hand'"])
            #expect(after[0].first == "0")
        }
    }

    @Test(arguments: [
        "ROLLBACK", " commit;", "END", "BEGIN", "start transaction", "PREPARE TRANSACTION 'x'", "/**/ABORT",
        "-- at last\nCOMMIT", "; ROLLBACK", "/* as /* it */ was */ end", "ABORT--now",
    ])
    func aStatementThatEndsTheTransactionAroundItIsRefused(text: String) async throws {
        try await client().withSession(database: nil, timeout: .seconds(120)) { session in
            let error = await #expect(throws: PostgresError.self) {
                try await session.transaction(["CREATE ROLE not_made", PostgresStatement(text)])
            }
            #expect(error?.code == "misuse" && error?.statement == 1)
            let found = try await session.run(["SELECT FROM pg_roles WHERE rolname = 'not_made'"])
            #expect(found[0].rows.isEmpty)
        }
    }

    @Test func savepointsWorkInsideATransaction() async throws {
        let results = try await client().withSession(database: nil, timeout: .seconds(120)) { session in
            try await session.transaction([
                "SAVEPOINT here", "CREATE ROLE not_made", "ROLLBACK TO here",
                "SELECT count(*) FROM pg_roles WHERE rolname = 'not_made'",
            ])
        }
        #expect(results[3].first == "0")
    }

    /// Each session sees only what it did itself: not the transaction or the settings of the one before.
    @Test func aSessionLeavesNothingToTheNext() async throws {
        let client = try await client(maxConnections: 1)
        try await client.run("CREATE ROLE left_behind")
        for mess: PostgresStatement in ["BEGIN", "SET ROLE left_behind", "SET SESSION search_path = x"] {
            try await client.run(mess)
            let seen = try await client.run("SELECT current_user", "SHOW search_path")
            #expect(seen[0].first == "postgres" && seen[1].first?.contains("public") == true)
            let outside = try await client.run("SELECT pg_current_xact_id_if_assigned() IS NULL")
            #expect(outside[0].first == "t")
        }
        try await client.run("DROP ROLE left_behind")
    }

    @Test func connectionsAreUsedAgain() async throws {
        let client = try await client()
        var pids: Set<String?> = []
        for _ in 0..<20 { pids.insert(try await client.run("SELECT pg_backend_pid()")[0].first) }
        #expect(pids.count == 1)
    }

    @Test func whatCannotBeRunIsRefusedBeforeItIsSent() async throws {
        let client = try await client()
        #expect(try await client.failure(of: "SELECT 1 -- \0 DROP").code == "misuse")
        #expect(try await client.failure(of: PostgresStatement("SELECT $1", ["\0"])).code == "misuse")
        #expect(try await client.failure(of: "COPY pg_class TO STDOUT").kind == .refused)
        #expect(try await client.run("SELECT 1")[0].first == "1")
        #expect(try await client.run().isEmpty)
    }

    @Test func aLargeExchangeNeitherBlocksNorBreaks() async throws {
        let blob = String(repeating: "x", count: 1 << 20)
        let results = try await client().withSession(database: nil, timeout: .seconds(60)) { session in
            await session.attempt((0..<24).map { PostgresStatement("SELECT $1::text, $2::int", [blob, "\($0)"]) })
        }
        for (index, result) in results.enumerated() {
            #expect(try result.get().rows == [[blob, "\(index)"]])
        }
    }

    @Test func nothingIsSentAfterTheDeadline() async throws {
        let client = try await client(maxConnections: 1)
        try await client.run("SELECT 1")
        try await client.withSession(database: nil, timeout: .seconds(1)) { session in
            _ = await session.attempt(["SELECT pg_sleep(600)"])
            let error = await #expect(throws: PostgresError.self) { try await session.run(["CREATE ROLE not_made"]) }
            #expect(error?.code == "timeout" && error?.kind == .transient && error?.scope == .lease)
        }
        #expect(try await client.run("SELECT FROM pg_roles WHERE rolname = 'not_made'")[0].rows.isEmpty)
    }

    @Test func aSessionEndsWithItsScope() async throws {
        let leaked = try await client().withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["SELECT 1"])
            return session
        }
        let error = await #expect(throws: PostgresError.self) { try await leaked.run(["SELECT 1"]) }
        #expect(error?.code == "sessionOver")
    }
}
