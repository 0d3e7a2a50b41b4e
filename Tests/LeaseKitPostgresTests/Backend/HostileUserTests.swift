// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import Testing

@testable import LeaseKitPostgres

/// A user that does what it can against its own end, and against the admin who brings it about.
@Suite(.serialized) struct HostileUserTests {
    /// Both are allowed to every role: to hold its own row by changing its password, and to take any advisory lock.
    static let obstacles = ["ALTER ROLE CURRENT_USER PASSWORD 'mine'", "SELECT pg_advisory_xact_lock(KEY)"]

    @Test(.timeLimit(.minutes(2)), arguments: CleaningTests.rows)
    func locksOfItsOwnDoNotKeepItAlive(_ row: CleaningTests.Row) async throws {
        let options = PostgresBackend.Options(lockTimeout: .milliseconds(300), checksRoles: false)
        let bench = try await BackendBench(row.version, row.admin, options: options)
        for obstacle in Self.obstacles {
            let made = try await bench.issue()
            let holder = bench.holder(made.credential)
            let statement = obstacle.replacing("KEY", with: "\(SQLTexts.key(of: made.name))")
            try await holder.withSession(database: nil, timeout: .seconds(60)) { session in
                _ = try await session.run(["BEGIN", PostgresStatement(statement)])
                #expect(try await bench.revoke(made) == .revoked, "\(obstacle)")
                await #expect(throws: PostgresError.self) { try await session.run(["SELECT 1"]) }
            }
            #expect(try await !bench.exists(made.name), "\(obstacle)")
            await holder.close()
        }
    }

    /// Of those that are ended together, the ones that nobody holds up are ended.
    @Test(.timeLimit(.minutes(2)), arguments: CleaningTests.rows)
    func oneThatIsHeldUpHoldsUpNoOther(_ row: CleaningTests.Row) async throws {
        let options = PostgresBackend.Options(lockTimeout: .milliseconds(300), checksRoles: false)
        let bench = try await BackendBench(row.version, row.admin, options: options)
        let all = [try await bench.issue(), try await bench.issue(), try await bench.issue(), try await bench.issue()]
        let held = all[1]
        try await bench.server.sql("CREATE TABLE held_\(bench.tail) (a int)")
        let other = LibPQClient(bench.server.configuration(maxConnections: 1))
        let items = all.map { BatchItem(handle: $0.handle, call: bench.call($0.call.id)) }
        try await other.withSession(database: nil, timeout: .seconds(60)) { session in
            // Somebody gives it something, and goes for lunch.
            _ = try await session.run([
                "BEGIN", PostgresStatement("GRANT SELECT ON held_\(bench.tail) TO \(held.name)"),
            ])
            let outcomes = await bench.backend.revoke(items)
            for place in [0, 2, 3] { #expect((try? outcomes[place].get()) == .revoked, "\(outcomes[place])") }
            let failure = #expect(throws: BackendFailure.self) { try outcomes[1].get() }
            #expect(failure?.kind == .transient)
            #expect(failure?.scope == .lease)
            #expect(failure?.code == "55P03", "\(String(describing: failure))")
            #expect(try await !bench.opens(held.credential))
            _ = try await session.run(["ROLLBACK"])
        }
        await other.close()
        #expect(try await bench.revoke(held) == .revoked)
    }

    /// Functions and operators that fit better than the catalog's own are not taken for them.
    @Test(.timeLimit(.minutes(2)), arguments: CleaningTests.rows)
    func functionsOfItsOwnAreNotCalled(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin) { group, _ in
            ["app": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .drop)]
        }
        let tail = bench.tail
        let place = "trap_\(tail)"
        try await bench.server.sql("CREATE DATABASE \(place)")
        try await bench.server.sql(
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            "CREATE TABLE caught (who text)",
            "GRANT INSERT ON caught TO PUBLIC",
            "CREATE TABLE given (a int)",
            "CREATE SCHEMA s",
            database: place
        )
        let made = try await bench.issue()
        let holder = bench.holder(made.credential)
        let bait = "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.caught VALUES (current_user);"
        _ = try await holder.withSession(database: place, timeout: .seconds(30)) { session in
            try await session.run([
                PostgresStatement(
                    "CREATE FUNCTION public.quote_ident(name) RETURNS text \(bait) RETURN $1::text; END $$"
                ),
                PostgresStatement(
                    "CREATE FUNCTION public.format(text, name, name) RETURNS text \(bait) RETURN $2 || '.' || $3; END $$"
                ),
                PostgresStatement(
                    "CREATE FUNCTION public.same(oid, int) RETURNS boolean \(bait) RETURN $1::bigint = $2; END $$"
                ),
                "CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = int, FUNCTION = public.same)",
                PostgresStatement(
                    "CREATE FUNCTION public.starts_with(text, text) RETURNS boolean \(bait) RETURN true; END $$"
                ),
                PostgresStatement(
                    "CREATE FUNCTION public.to_regrole(text) RETURNS regrole \(bait) RETURN $1::regrole; END $$"
                ),
            ])
        }
        await holder.close()
        try await bench.server.sql(
            "GRANT SELECT ON given TO \(made.name)",
            "GRANT USAGE ON SCHEMA s TO \(made.name)",
            "ALTER DATABASE \(place) SET search_path = public, pg_catalog",
            database: place
        )
        // What comes of it depends on who gave the rights; nobody is to be caught in any case.
        _ = try? await bench.revoke(made)
        let caught = try await bench.server.sql("SELECT DISTINCT who FROM public.caught", database: place)
        #expect(caught[0].rows.isEmpty, "\(caught[0].rows)")
        if row.admin == .superuser { #expect(try await !bench.exists(made.name)) }
    }

    /// A table that is there a moment before the end, when it had been looked for already.
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func whatItMakesAtTheLastMomentIsKept(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin) { group, owner in
            ["app": PostgresRole(.memberOf(group), iterations: 1, ownedObjects: .reassign(to: owner))]
        }
        let tail = bench.tail
        try await bench.server.sql(
            "CREATE SCHEMA late_\(tail)",
            "GRANT ALL ON SCHEMA late_\(tail) TO \(bench.group)",
            "GRANT ALL ON SCHEMA late_\(tail) TO \(bench.owner)"
        )
        let made = try await bench.issue()
        // Something that it holds, so that it is not dropped with the first look.
        try await bench.server.sql(
            "CREATE TABLE late_\(tail).given (a int)",
            "ALTER TABLE late_\(tail).given OWNER TO \(bench.owner)",
            "SET ROLE \(bench.owner)",
            "GRANT SELECT ON late_\(tail).given TO \(made.name)"
        )
        let client = HookedClient(bench.client) { session in
            // The first is the look; its session makes the table before it is ended.
            guard session == 1 else { return }
            try await bench.server.sql("SET ROLE \(made.name)", "CREATE TABLE late_\(tail).mine (a int)")
        }
        let backend = try PostgresBackend(
            client: client,
            roles: ["app": PostgresRole(.memberOf(bench.group), ownedObjects: .reassign(to: bench.owner))]
        )
        _ = try await backend.preflight()
        client.begin()
        #expect(try await backend.revoke(made.handle, bench.call(made.call.id)) == .revoked)
        let kept = try await bench.server.sql(
            "SELECT tableowner FROM pg_tables WHERE schemaname = 'late_\(tail)' AND tablename = 'mine'"
        )
        #expect(kept[0].first == bench.owner)
    }

    /// In a loop that never looks up, as some procedural languages have: such a session is told, and waited for once.
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func sessionsThatDoNotListenHoldUpNobody(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin)
        let made = try await bench.issue()
        let holder = bench.holder(made.credential, maxConnections: 5)
        let doors = (0..<5).map { _ in Door() }
        let end = Door()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for door in doors {
                tasks.addTask {
                    try await holder.withSession(database: nil, timeout: .seconds(60)) { session in
                        _ = try await session.run(["SELECT 1"])
                        door.open()
                        await end.pass()
                    }
                }
            }
            for door in doors { await door.pass() }
            let processes = try await bench.server.sql(
                "SELECT pid FROM pg_stat_activity WHERE usename = '\(made.name)'"
            )
            let pids = processes[0].rows.compactMap { $0[0].flatMap { Int32($0) } }
            #expect(pids.count == 5)
            for pid in pids { #expect(kill(pid, SIGSTOP) == 0) }
            defer {
                for pid in pids { kill(pid, SIGCONT) }
                end.open()
            }
            // Two seconds for each of them would be too long.
            let call = bench.call(made.call.id, timeout: .seconds(10))
            #expect(try await bench.backend.revoke(made.handle, call) == .revoked)
            #expect(try await !bench.exists(made.name))
        }
        await holder.close()
    }

    /// A session whose login was checked before the user was locked out, and that comes to be after the look for sessions.
    @Test(.timeLimit(.minutes(1)), arguments: ServerVersion.allCases)
    func aSessionThatSlippedInIsSeenByTheLastLook(_ version: ServerVersion) async throws {
        let server = try await TestServer.make(version, .init(settings: ["log_connections": "on"]))
        let bench = try await BackendBench(version, server: server)
        let made = try await bench.issue()
        let name = made.name
        var configuration = bench.server.configuration(
            user: name,
            password: made.credential.password.withText { $0 },
            maxConnections: 1
        )
        // It is checked, then it waits, then it is listed.
        configuration.settings = ["post_auth_delay": "4"]
        let slow = LibPQClient(configuration)
        let tag = RoleTag.prefix(of: made.call.mark)
        async let login: Void = {
            _ = try? await slow.run("SELECT pg_sleep(60)")
        }()
        while try !server.log().contains("connection authorized: user=\(name)") {
            try await bench.time.sleep(until: bench.time.read().continuous + .milliseconds(10))
        }
        try await bench.server.sql("ALTER ROLE \(name) NOLOGIN")
        try await bench.client.withSession(database: nil, timeout: .seconds(30)) { session in
            _ = try await session.run(["BEGIN", SQLTexts.requireEnded([(name, tag)])])
            while try await bench.server.sql("SELECT 1 FROM pg_stat_activity WHERE usename = '\(name)'")[0].rows.isEmpty
            {}
            #expect(try await session.run([SQLTexts.endStragglers])[0].first == "1")
            _ = try await session.run(["COMMIT"])
        }
        await login
        await slow.close()
        #expect(try await bench.revoke(made) == .revoked)
    }
}

/// Calls back after each session, counted from where it was told to begin.
final class HookedClient: PostgresClient {
    private let base: LibPQClient
    private let hook: @Sendable (Int) async throws -> Void
    private let count = Locked<Int?>(nil)

    init(_ base: LibPQClient, _ hook: @escaping @Sendable (Int) async throws -> Void) {
        self.base = base
        self.hook = hook
    }

    func begin() { count.withLock { $0 = 0 } }

    func withSession<R: Sendable>(
        database: String?,
        timeout: Duration,
        _ body: @Sendable (any PostgresSession) async throws -> R
    ) async throws -> R {
        let result = try await base.withSession(database: database, timeout: timeout, body)
        let number: Int? = count.withLock { count in
            count = count.map { $0 + 1 }
            return count
        }
        if let number { try await hook(number) }
        return result
    }
}
