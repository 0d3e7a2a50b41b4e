// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitPostgres

@Suite struct RotatingLoginTests {
    private static let numbers = Locked(0)

    /// An admin of its own on the shared server.
    private struct Bench {
        let server: TestServer
        let user: String
        let keeper: InMemorySecretKeeper
        let initial = SecretText("initial")

        init(
            _ version: ServerVersion = .system,
            _ plan: @escaping @Sendable (KeeperCall) -> KeeperFault? = { _ in nil }
        ) async throws {
            server = try await TestServer.shared(version)
            let number = RotatingLoginTests.numbers.withLock { number in
                number += 1
                return number
            }
            user = "admin_\(number)"
            keeper = InMemorySecretKeeper(plan: plan)
            try await server.sql("CREATE ROLE \(user) LOGIN CREATEROLE PASSWORD 'initial'")
        }

        func admin() -> RotatingLogin { RotatingLogin(user: user, password: initial, keeper: keeper, iterations: 2) }

        func opens(_ password: SecretText) async throws -> Bool {
            var configuration = server.configuration(maxConnections: 1)
            let login = PostgresConfiguration.Login(user: user, password: password)
            configuration.login = { login }
            let client = LibPQClient(configuration)
            do {
                try await client.run("SELECT 1")
                await client.close()
                return true
            } catch let error as PostgresError where error.sqlState == .invalidPassword {
                return false
            }
        }

        /// What is kept is what opens the server, and nothing else is on its way.
        func isSettled(_ admin: RotatingLogin) async throws -> Bool {
            let kept = try await keeper.load("postgres/admin")
            guard kept.staged == nil, admin.login().alternative == nil, let now = admin.login().password else {
                return false
            }
            let isKept = (kept.committed?.secret ?? initial) == now
            let opensNow = try await opens(now)
            return isKept && opensNow
        }
    }

    @Test(arguments: ServerVersion.allCases)
    func nobodyElseKnowsTheNewPassword(version: ServerVersion) async throws {
        let bench = try await Bench(version)
        let admin = bench.admin()
        let configuration = bench.server.configuration()
        try await admin.recover(configuration)
        #expect(try await bench.isSettled(admin))
        try await admin.rotate(configuration)
        let first = try #require(admin.login().password)
        #expect(try await bench.isSettled(admin))
        #expect(try await !bench.opens(bench.initial))
        try await admin.rotate(configuration)
        #expect(try await bench.isSettled(admin))
        #expect(try await !bench.opens(first))
        let log = try bench.server.log()
        for password in [first, try #require(admin.login().password)] {
            #expect(!log.contains(password.withText { $0 }))
        }
        #expect(log.contains("ALTER ROLE \"\(bench.user)\" PASSWORD 'SCRAM-SHA-256$2:"))
    }

    /// The process dies at each call to the keeper, before it and after it; the next one goes on with what is kept.
    @Test(arguments: [KeeperCall.Kind.load, .stage, .commit], ServerVersion.allCases)
    func isFinishedAfterACrash(kind: KeeperCall.Kind, version: ServerVersion) async throws {
        for fault in [KeeperFault.unavailable, .unknown] { try await crash(at: kind, fault, version) }
    }

    private func crash(at kind: KeeperCall.Kind, _ fault: KeeperFault, _ version: ServerVersion) async throws {
        let isArmed = Locked(true)
        let bench = try await Bench(version) { call in
            isArmed.withLock { isArmed in
                guard isArmed, call.kind == kind else { return nil }
                isArmed = false
                return fault
            }
        }
        let configuration = bench.server.configuration()
        let admin = bench.admin()
        await #expect(throws: SecretKeeperError.self) { try await admin.rotate(configuration) }
        // The one that is still running can go on.
        var own = configuration
        own.login = admin.login
        try await LibPQClient(own).run("SELECT 1")
        // So can another one, which knows only the first password and the keeper.
        let successor = bench.admin()
        try await successor.recover(configuration)
        #expect(try await bench.isSettled(successor))
        try await admin.rotate(configuration)
        #expect(try await bench.isSettled(admin))
    }

    @Test(arguments: [true, false], ServerVersion.allCases)
    func aLostCommitIsFinished(isCarriedOut: Bool, version: ServerVersion) async throws {
        let bench = try await Bench(version)
        let proxy = try TestProxy(to: bench.server)
        var broken = bench.server.configuration(host: proxy.host)
        broken.connectTimeout = .seconds(5)
        proxy.set(isCarriedOut ? .loseAnswer(to: "\0COMMIT\0") : .loseRequest("\0COMMIT\0"))
        let admin = bench.admin()
        let configuration = broken
        let error = await #expect(throws: PostgresError.self) { try await admin.rotate(configuration) }
        #expect(error?.kind == .ambiguous)
        let staged = try #require(try await bench.keeper.load("postgres/admin").staged?.secret)
        #expect(try await bench.opens(staged) == isCarriedOut)
        proxy.set(.none)
        let successor = bench.admin()
        try await successor.recover(configuration)
        #expect(try await bench.isSettled(successor))
        #expect(successor.login().password == staged)
    }

    @Test(arguments: ServerVersion.allCases)
    func connectionsAreNotRefusedMeanwhile(version: ServerVersion) async throws {
        let bench = try await Bench(version)
        let admin = bench.admin()
        let configuration = bench.server.configuration()
        let isOver = Locked(false)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var own = configuration
                    own.login = admin.login
                    var count = 0
                    while !isOver.withLock({ $0 }) {
                        let client = LibPQClient(own)
                        try await client.run("SELECT 1")
                        await client.close()
                        count += 1
                    }
                    return count
                }
            }
            for _ in 0..<8 { try await admin.rotate(configuration) }
            isOver.withLock { $0 = true }
            for try await count in group { #expect(count > 0) }
        }
        #expect(try await bench.isSettled(admin))
    }

    @Test func severalAtOnceTakeTurns() async throws {
        let bench = try await Bench()
        let admin = bench.admin()
        let configuration = bench.server.configuration()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await admin.rotate(configuration) } }
            try await group.waitForAll()
        }
        #expect(bench.keeper.calls.filter { $0.kind == .commit }.count == 4)
        #expect(try await bench.isSettled(admin))
    }

    @Test func aFirstPasswordOfOtherCharactersIsLeftBehind() async throws {
        let bench = try await Bench()
        try await bench.server.sql("ALTER ROLE \(bench.user) PASSWORD 'größer'")
        let admin = RotatingLogin(user: bench.user, password: SecretText("größer"), keeper: bench.keeper, iterations: 2)
        try await admin.rotate(bench.server.configuration())
        #expect(try await bench.isSettled(admin))
    }

    @Test func aLoginPrintsNoPassword() {
        let login = PostgresConfiguration.Login(
            user: "u",
            password: SecretText("hunter2"),
            alternative: SecretText("hunter2")
        )
        var dumped = ""
        dump(login, to: &dumped)
        #expect(!"\(login) \(dumped)".contains("hunter2"))
    }
}
