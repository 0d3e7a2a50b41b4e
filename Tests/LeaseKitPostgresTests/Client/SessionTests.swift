// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// What a session does with its statements, on both servers.
@Suite struct SessionTests {
    private func client(_ version: ServerVersion = .system, maxConnections: Int = 4) throws -> LibPQClient {
        LibPQClient(try TestServer.shared(version).configuration(maxConnections: maxConnections))
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
        let client = try client()
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
        let client = try client()
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

    @Test func aConstraintThatIsCheckedAtTheCommitFailsTheTransaction() async throws {
        let client = try client(maxConnections: 1)
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
        let client = try client(maxConnections: 1)
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
        let client = try client()
        var pids: Set<String?> = []
        for _ in 0..<20 { pids.insert(try await client.run("SELECT pg_backend_pid()")[0].first) }
        #expect(pids.count == 1)
    }

    @Test func whatCannotBeRunIsRefusedBeforeItIsSent() async throws {
        let client = try client()
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
        let client = try client(maxConnections: 1)
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
