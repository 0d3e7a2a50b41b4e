// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// How a connection comes about, or does not.
@Suite struct ConnectTests {
    typealias Host = PostgresConfiguration.Host

    @Test func aWrongPasswordIsAboutTheWholeServer() async throws {
        let server = try TestServer.shared(.system)
        for login in [("postgres", "wrong"), ("nobody_there", "hunter2")] {
            let client = LibPQClient(server.configuration(user: login.0, password: login.1))
            let error = try await client.failure(of: "SELECT 1")
            #expect(error.sqlState == .invalidPassword && error.kind == .denied && error.scope == .target)
            #expect(!"\(error) \(String(reflecting: error))".contains(login.1))
        }
    }

    @Test func aMissingPasswordIsTold() async throws {
        var configuration = try TestServer.shared(.system).configuration()
        configuration.login = { PostgresConfiguration.Login(user: "postgres", password: nil) }
        #expect(try await LibPQClient(configuration).failure(of: "SELECT 1").code == "noPassword")
    }

    @Test func aDatabaseThatIsNotThereIsTold() async throws {
        var configuration = try TestServer.shared(.system).configuration()
        configuration.database = "nowhere"
        let error = try await LibPQClient(configuration).failure(of: "SELECT 1")
        #expect(error.sqlState == .invalidCatalogName && error.kind == .denied)
    }

    @Test func theLoginIsAskedForAtEachConnect() async throws {
        let server = try TestServer.shared(.system)
        let password = Locked(SecretText("old"))
        var configuration = server.configuration(maxConnections: 1)
        configuration.login = {
            PostgresConfiguration.Login(user: "rotated", password: password.withLock { $0 })
        }
        try await server.sql("CREATE ROLE rotated LOGIN PASSWORD 'new'")
        let client = LibPQClient(configuration)
        #expect(try await client.failure(of: "SELECT 1").sqlState == .invalidPassword)
        password.withLock { $0 = SecretText("new") }
        #expect(try await client.run("SELECT current_user")[0].first == "rotated")
        await client.close()
        try await server.sql("DROP ROLE rotated")
    }

    @Test func theServerSeesWhoItIs() async throws {
        var configuration = try TestServer.shared(.system).configuration()
        configuration.applicationName = "leasekit deployment's \\ 'a b'"
        configuration.settings = ["lock_timeout": "1234ms", "search_path": "\"a b\", pg_catalog"]
        let seen = try await LibPQClient(configuration).run(
            "SHOW application_name",
            "SHOW lock_timeout",
            "SHOW search_path"
        )
        #expect(seen.map(\.first) == [configuration.applicationName, "1234ms", "\"a b\", pg_catalog"])
    }

    /// What would be another parameter, were texts put together.
    @Test(arguments: ["x' host='evil", "x host=evil", "postgresql://evil/", "a\\' b", "ü", "%2F"])
    func aTextIsNothingButAText(text: String) async throws {
        let server = try TestServer.shared(.system)
        let quoted = text.replacing("\"", with: "\"\"")
        let literal = text.replacing("'", with: "''")
        try await server.sql(
            "DROP ROLE IF EXISTS \"\(quoted)\"",
            "CREATE ROLE \"\(quoted)\" LOGIN PASSWORD E'\(literal.replacing("\\", with: "\\\\"))'"
        )
        let client = LibPQClient(server.configuration(user: text, password: text))
        #expect(try await client.run("SELECT session_user")[0].first == text)
        await client.close()
        try await server.sql("DROP ROLE \"\(quoted)\"")
    }

    @Test func aConfigurationThatCannotBeRightIsTold() async throws {
        let good = try TestServer.shared(.system).configuration()
        let changes: [(inout PostgresConfiguration) -> Void] = [
            { $0.hosts = [] }, { $0.hosts = [Host("")] }, { $0.hosts = [Host("a", port: 0)] },
            { $0.maxConnections = 0 },
            { $0.applicationName = String(repeating: "x", count: 64) }, { $0.applicationName = "ü" },
            { $0.database = "a\0b" }, { $0.settings = ["a b": "c"] }, { $0.settings = ["": "c"] },
        ]
        for change in changes {
            var configuration = good
            change(&configuration)
            let error = try await LibPQClient(configuration).failure(of: "SELECT 1")
            #expect(error.code == "misconfigured" && error.kind == .denied)
        }
    }

    @Test func aUnixSocketWorks() async throws {
        let server = try TestServer.shared(.system)
        let client = LibPQClient(server.configuration(host: Host(server.folder, port: server.port)))
        #expect(try await client.run("SELECT inet_client_addr() IS NULL")[0].first == "t")
    }

    @Test func aNameIsLookedUp() async throws {
        let server = try TestServer.shared(.system)
        let client = LibPQClient(server.configuration(host: Host("localhost", port: server.port)))
        #expect(try await client.run("SELECT 1")[0].first == "1")
        let nowhere = LibPQClient(server.configuration(host: Host("nowhere.invalid", port: server.port)))
        let error = try await nowhere.failure(of: "SELECT 1")
        #expect(error.code == "unknownHost" && error.scope == .target)
    }

    @Test func nobodyIsHomeAnywhere() async throws {
        let server = try TestServer.shared(.system)
        var configuration = server.configuration()
        configuration.hosts = try [Host("127.0.0.1", port: Loopback.freePort()), Host("/nowhere")]
        let error = try await LibPQClient(configuration).failure(of: "SELECT 1")
        #expect(error.code == "unreachable" && error.kind == .transient && error.scope == .target)
    }

    @Test func theNextHostTakesOver() async throws {
        let one = try TestServer()
        let two = try TestServer()
        for server in [one, two] { try await server.sql("ALTER ROLE postgres PASSWORD 'both'") }
        var configuration = one.configuration(password: "both")
        configuration.hosts = [Host("127.0.0.1", port: one.port), Host("127.0.0.1", port: two.port)]
        let client = LibPQClient(configuration)
        #expect(try await client.run("SHOW port")[0].first == "\(one.port)")
        one.stop()
        #expect(try await client.run("SHOW port")[0].first == "\(two.port)")
        try one.start()
        two.stop()
        #expect(try await client.run("SHOW port")[0].first == "\(one.port)")
    }

    @Test func aServerThatDoesNotAcceptWritesIsPassedOver() async throws {
        let server = try TestServer.shared(.system)
        let standby = try TestServer(.system, TestServer.Options(settings: ["default_transaction_read_only": "on"]))
        try await server.sql("CREATE ROLE writer LOGIN PASSWORD 'both'")
        var configuration = server.configuration(user: "writer", password: "both")
        let reading = LibPQClient(standby.configuration())
        let error = try await reading.failure(of: "SELECT 1")
        #expect(error.code == "readOnly" && error.kind == .transient && error.scope == .target)
        configuration.hosts.insert(Host("127.0.0.1", port: standby.port), at: 0)
        // There it could not even log in, and that is no reason to stay away from the other.
        #expect(try await LibPQClient(configuration).run("SHOW port")[0].first == "\(server.port)")
        var any = standby.configuration()
        any.target = .any
        let refused = try await LibPQClient(any).failure(of: "CREATE ROLE nobody_there")
        #expect(refused.sqlState == .readOnly && refused.kind == .transient && refused.scope == .target)
        try await server.sql(
            "DROP OWNED BY writer",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writer'",
            "DROP ROLE writer"
        )
    }

    @Test func aFullServerIsSharedByThoseWhoAreIn() async throws {
        let server = try TestServer(
            .system,
            TestServer.Options(settings: ["max_connections": "5", "superuser_reserved_connections": "1"])
        )
        try await server.sql("CREATE ROLE crowd LOGIN PASSWORD 'crowd'")
        let client = LibPQClient(server.configuration(user: "crowd", password: "crowd", maxConnections: 16))
        let answers = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<64 { group.addTask { try await client.run("SELECT 1, pg_sleep(0.01)")[0].first } }
            return try await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(answers.count == 64 && answers.allSatisfy { $0 == "1" })
        // With none at all, there is nothing to share.
        let other = LibPQClient(server.configuration(user: "crowd", password: "crowd"))
        try await holding(4, of: client) {
            let error = try await other.failure(of: "SELECT 1")
            #expect(error.sqlState == .tooManyConnections)
            #expect(error.kind == .transient && error.scope == .target)
        }
    }

    /// Runs `body` while so many connections are in use.
    private func holding(
        _ count: Int,
        of client: LibPQClient,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        if count == 0 { return try await body() }
        try await client.withSession(database: nil, timeout: .seconds(120)) { session in
            _ = try await session.run(["SELECT 1"])
            try await self.holding(count - 1, of: client, body)
        }
    }
}
