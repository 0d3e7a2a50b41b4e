// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// A server of its own, and everything that can happen to it and to the way there.
@Suite struct TroubleTests {
    @Test func aStatementIsCancelledAtItsDeadline() async throws {
        let server = try await TestServer.shared(.system)
        let client = LibPQClient(server.configuration(maxConnections: 1))
        try await client.run("SELECT 1")
        let error = try await client.failure(of: "SELECT 'at its deadline', pg_sleep(600)", timeout: .seconds(1))
        #expect(error.sqlState == .queryCancelled, "\(error)")
        #expect(error.kind == .transient && error.scope == .lease)
        // Nothing of it is left at the server, and the pool is of use.
        let left = try await client.run(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE query LIKE '%at its deadline%' AND state = 'active' AND pid <> pg_backend_pid()
            """
        )
        #expect(left[0].first == "0")
    }

    @Test func aTransactionThatRanOutOfTimeIsNotCarriedOut() async throws {
        let server = try await TestServer.shared(.system)
        let client = LibPQClient(server.configuration(maxConnections: 1))
        try await client.run("SELECT 1")
        let error = await #expect(throws: PostgresError.self) {
            try await client.withSession(database: nil, timeout: .seconds(1)) { session in
                try await session.transaction(["CREATE ROLE too_late", "SELECT pg_sleep(600)"])
            }
        }
        #expect(error?.kind == .transient && error?.statement == 1, "\(String(describing: error))")
        #expect(try await server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'too_late'")[0].first == "0")
    }

    @Test func aCancelledTaskCancelsItsStatement() async throws {
        let server = try await TestServer.shared(.system)
        let client = LibPQClient(server.configuration(maxConnections: 1))
        let error = try await withThrowingTaskGroup(of: PostgresError?.self) { group in
            group.addTask {
                do {
                    try await client.run("SELECT pg_advisory_lock(7002), pg_sleep(600)", timeout: .seconds(60))
                    return nil
                } catch { return error as? PostgresError }
            }
            // It has begun once the lock is seen.
            try await server.sql(
                """
                DO $$ BEGIN
                    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7002) LOOP
                        PERFORM pg_sleep(0.002);
                    END LOOP;
                END $$
                """
            )
            group.cancelAll()
            return try await group.next() ?? nil
        }
        #expect(error?.sqlState == .queryCancelled)
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }

    @Test func aServerThatSaysNothingIsGivenUp() async throws {
        let server = try await TestServer.shared(.system)
        let proxy = try TestProxy(to: server)
        let client = LibPQClient(server.configuration(host: proxy.host, maxConnections: 1))
        try await client.run("SELECT 1")
        proxy.set(.silence)
        let error = try await client.failure(of: "SELECT 1", timeout: .milliseconds(500))
        #expect(error.code == "timeout" && error.kind == .ambiguous && error.scope == .target, "\(error)")
        let connecting = try await client.failure(of: "SELECT 1", timeout: .milliseconds(500))
        #expect(connecting.code == "timeout" && connecting.kind == .transient, "\(connecting)")
        #expect(connecting.scope == .target)
        proxy.set(.none)
        proxy.cutAll()
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }

    @Test func aRestartIsNotNoticed() async throws {
        let server = try await TestServer.make()
        let client = LibPQClient(server.configuration())
        for _ in 0..<3 {
            try await client.run("SELECT 1")
            try await server.restart()
            #expect(try await client.run("SELECT 1")[0].first == "1")
        }
    }

    @Test func aStoppedServerIsToldAtOnceAndFoundAgain() async throws {
        let server = try await TestServer.make()
        let client = LibPQClient(server.configuration())
        try await client.run("SELECT 1")
        await server.stop()
        for _ in 0..<3 {
            let error = try await client.failure(of: "SELECT 1", timeout: .seconds(60))
            #expect(error.kind == .transient && error.scope == .target)
        }
        try await server.start()
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }

    @Test func aServerThatIsKilledTakesTheTransactionWithIt() async throws {
        let server = try await TestServer.make()
        let client = LibPQClient(server.configuration())
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["BEGIN", "CREATE ROLE half"])
            await server.kill()
            let error = await #expect(throws: PostgresError.self) { try await session.run(["CREATE ROLE other"]) }
            // Nothing of a transaction that did not commit was done.
            #expect(error?.kind == .transient && error?.scope == .target)
            let again = await #expect(throws: PostgresError.self) { try await session.run(["SELECT 1"]) }
            #expect(again?.kind == .transient)
        }
        try await server.start()
        #expect(try await client.run("SELECT count(*) FROM pg_roles WHERE rolname = 'half'")[0].first == "0")
    }

    @Test func aSessionThatAnOperatorEndsIsTold() async throws {
        let server = try await TestServer.shared(.system)
        let client = LibPQClient(server.configuration(maxConnections: 1))
        let error = try await client.failure(of: "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)")
        #expect(error.sqlState == .adminShutdown && error.kind == .transient && error.scope == .target)
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }

    @Test(arguments: [true, false]) func aCommitWithoutAnAnswerIsAmbiguous(isCarriedOut: Bool) async throws {
        let server = try await TestServer.shared(.system)
        let proxy = try TestProxy(to: server)
        let client = LibPQClient(server.configuration(host: proxy.host))
        let name = "ambiguous_\(isCarriedOut)"
        try await client.run("SELECT 1")
        proxy.set(isCarriedOut ? .loseAnswer(to: "\0COMMIT\0") : .loseRequest("\0COMMIT\0"))
        let error = await #expect(throws: PostgresError.self) {
            try await client.withSession(database: nil, timeout: .seconds(120)) { session in
                try await session.transaction([PostgresStatement("CREATE ROLE \(name)")])
            }
        }
        #expect(error?.kind == .ambiguous && error?.scope == .target && error?.code == "connectionLost")
        proxy.set(.none)
        let found = try await client.run(PostgresStatement("SELECT FROM pg_roles WHERE rolname = $1", [name]))
        #expect(found[0].rows.count == (isCarriedOut ? 1 : 0))
        try await server.sql("DROP ROLE IF EXISTS \(name)")
    }

    @Test func aCutBeforeTheCommitIsNot() async throws {
        let server = try await TestServer.shared(.system)
        let proxy = try TestProxy(to: server)
        let client = LibPQClient(server.configuration(host: proxy.host))
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["BEGIN", "CREATE ROLE never_there"])
            proxy.cutAll()
            let error = await #expect(throws: PostgresError.self) { try await session.run(["SELECT 1", "SELECT 2"]) }
            #expect(error?.kind == .transient && error?.scope == .target)
        }
        #expect(try await client.run("SELECT count(*) FROM pg_roles WHERE rolname = 'never_there'")[0].first == "0")
    }

    @Test func manyCallersGetOverACut() async throws {
        let server = try await TestServer.shared(.system)
        let proxy = try TestProxy(to: server)
        let client = LibPQClient(server.configuration(host: proxy.host))
        let kinds = await withTaskGroup(of: String.self) { group in
            for index in 0..<200 {
                group.addTask {
                    if index % 50 == 49 { proxy.cutAll() }
                    do {
                        return try await client.run("SELECT 1")[0].first == "1" ? "ok" : "wrong"
                    } catch let error as PostgresError {
                        return error.scope == .target && error.isRetryable ? "told" : "\(error)"
                    } catch { return "\(error)" }
                }
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(kinds.values.reduce(0, +) == 200)
        #expect(Set(kinds.keys).isSubset(of: ["ok", "told"]))
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }
}
