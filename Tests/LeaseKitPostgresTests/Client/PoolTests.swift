// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Who gets a connection, and when.
@Suite struct PoolTests {
    /// Returns when so many sessions have come to the same number: never, if they come one after another.
    static func meet(_ count: Int, at number: Int) -> PostgresStatement {
        PostgresStatement(
            """
            DO $$ BEGIN
                PERFORM pg_advisory_lock_shared(\(number));
                WHILE (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = \(number)) < \(count) LOOP
                    PERFORM pg_sleep(0.002);
                END LOOP;
            END $$
            """
        )
    }

    private func together(_ count: Int, _ client: LibPQClient, number: Int) async throws -> Set<String?> {
        try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await client.withSession(database: nil, timeout: .seconds(120)) { session in
                        try await session.run([Self.meet(count, at: number), "SELECT pg_backend_pid()"])[1].first
                    }
                }
            }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
    }

    @Test func connectionsWorkAtTheSameTime() async throws {
        let client = LibPQClient(try TestServer.shared(.system).configuration(maxConnections: 6))
        let pids = try await together(6, client, number: 7_001)
        #expect(pids.count == 6)
        await client.close()
    }

    @Test func thereAreNeverMoreThanAllowed() async throws {
        var configuration = try TestServer.shared(.system).configuration(maxConnections: 3)
        configuration.applicationName = "pool of three"
        let client = LibPQClient(configuration)
        let most = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<60 {
                group.addTask {
                    let count = try await client.run(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool of three'"
                    )
                    return count[0].first.flatMap { Int($0) } ?? 0
                }
            }
            return try await group.reduce(0) { max($0, $1) }
        }
        #expect((1...3).contains(most))
        await client.close()
    }

    @Test func waitingEndsAtTheDeadlineAndInOrder() async throws {
        let client = LibPQClient(try TestServer.shared(.system).configuration(maxConnections: 1))
        let isTaken = Door()
        let letGo = Door()
        async let holder: Void = client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["SELECT 1"])
            isTaken.open()
            await letGo.pass()
        }
        await isTaken.pass()
        let error = try await client.failure(of: "SELECT 1", timeout: .milliseconds(50))
        #expect(error.code == "poolBusy" && error.kind == .transient && error.scope == .lease)
        letGo.open()
        try await holder
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }

    @Test func noMoreThanAllowedMayWait() async throws {
        var configuration = try TestServer.shared(.system).configuration(maxConnections: 1)
        configuration.maxWaiting = 2
        let client = LibPQClient(configuration)
        let isTaken = Door()
        let letGo = Door()
        async let holder: Void = client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["SELECT 1"])
            isTaken.open()
            await letGo.pass()
        }
        await isTaken.pass()
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    do {
                        try await client.run("SELECT 1")
                        return true
                    } catch {
                        // The refusals come at once; with the last the wait is over.
                        return false
                    }
                }
            }
            var refused = 0
            while refused < 3, await group.next() == false { refused += 1 }
            letGo.open()
            return await group.reduce(into: [Bool](repeating: false, count: refused)) { $0.append($1) }
        }
        try await holder
        #expect(outcomes.filter { $0 }.count == 2)
    }

    @Test func aCancelledTaskWaitsNoLonger() async throws {
        let client = LibPQClient(try TestServer.shared(.system).configuration(maxConnections: 1))
        let isTaken = Door()
        let letGo = Door()
        async let holder: Void = client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["SELECT 1"])
            isTaken.open()
            await letGo.pass()
        }
        await isTaken.pass()
        let code = await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    try await client.run("SELECT 1", timeout: .seconds(60))
                    return nil
                } catch let error as PostgresError {
                    return error.code
                } catch is CancellationError {
                    return "cancelled"
                } catch { return nil }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(code == "cancelled")
        letGo.open()
        try await holder
    }

    @Test func connectionsToOtherDatabasesShareThePool() async throws {
        let server = try TestServer.shared(.system)
        try await server.sql("CREATE DATABASE pool_other")
        let client = LibPQClient(server.configuration(maxConnections: 1))
        for _ in 0..<3 {
            for database in ["postgres", "pool_other"] {
                let found = try await client.withSession(database: database, timeout: .seconds(120)) { session in
                    try await session.run(["SELECT current_database()"])[0].first
                }
                #expect(found == database)
            }
        }
        await client.close()
        try await server.sql("DROP DATABASE pool_other")
    }

    /// A connection that fails before it is begun must not make others be forgotten, who wait for something else.
    @Test func oneThatFailsAtOnceHoldsUpNobody() async throws {
        let client = LibPQClient(try TestServer.shared(.system).configuration(maxConnections: 2))
        let codes = await withTaskGroup(of: String?.self) { group in
            for index in 0..<40 {
                group.addTask {
                    do {
                        return try await client.withSession(
                            database: index % 2 == 0 ? "post\0gres" : nil,
                            timeout: .seconds(120)
                        ) { session in
                            try await session.run(["SELECT 'ok'"])[0].first
                        }
                    } catch { return (error as? PostgresError)?.code }
                }
            }
            return await group.reduce(into: [String?: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(codes == ["ok": 20, "misuse": 20])
    }

    @Test func idleConnectionsAreClosed() async throws {
        let server = try TestServer.shared(.system)
        var configuration = server.configuration()
        configuration.idleTimeout = .milliseconds(20)
        configuration.applicationName = "idle for a moment"
        let client = LibPQClient(configuration)
        try await client.run("SELECT 1")
        // Returns when the server has seen the last of it.
        try await server.sql(
            """
            DO $$ BEGIN
                WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'idle for a moment') LOOP
                    PERFORM pg_sleep(0.005);
                    PERFORM pg_stat_clear_snapshot();
                END LOOP;
            END $$
            """
        )
        #expect(try await client.run("SELECT 1")[0].first == "1")
    }

    @Test func aClosedClientLetsSessionsFinishAndTakesNoMore() async throws {
        let client = LibPQClient(try TestServer.shared(.system).configuration())
        let isTaken = Door()
        let letGo = Door()
        async let last = client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["SELECT 1"])
            isTaken.open()
            await letGo.pass()
            return try await session.run(["SELECT 2"])[0].first
        }
        await isTaken.pass()
        async let closing: Void = client.close()
        var isClosed = false
        while !isClosed {
            do { try await client.run("SELECT 1") } catch let error as PostgresError {
                isClosed = error.code == "closed"
            }
        }
        letGo.open()
        #expect(try await last == "2")
        await closing
        #expect(try await client.failure(of: "SELECT 1").code == "closed")
        await client.close()
    }
}
