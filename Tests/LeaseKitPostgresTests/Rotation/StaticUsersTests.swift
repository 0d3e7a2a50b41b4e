// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitPostgres

@Suite struct StaticUsersTests {
    private struct Bench {
        let server: TestServer
        let client: LibPQClient
        let keeper: InMemorySecretKeeper
        let time: VirtualTime
        let role: String

        init(
            _ role: String,
            on version: ServerVersion = .system,
            keeper: InMemorySecretKeeper = InMemorySecretKeeper()
        ) async throws {
            server = try await TestServer.shared(version)
            client = LibPQClient(server.configuration())
            time = VirtualTime()
            self.role = role
            self.keeper = keeper
            try await server.sql("CREATE ROLE \(role) LOGIN PASSWORD 'by hand'")
        }

        func users(_ schedule: RotationSchedule = .every(.seconds(3_600))) -> StaticUsers {
            StaticUsers(
                ["report": StaticUser(role: role, schedule: schedule, iterations: 2)],
                client: client,
                configuration: server.configuration(),
                keeper: keeper,
                time: time
            )
        }

        func opens(_ password: SecretText) async throws -> Bool {
            let client = LibPQClient(server.configuration(user: role, password: password.withText { $0 }))
            do {
                try await client.run("SELECT 1")
                await client.close()
                return true
            } catch let error as PostgresError where error.sqlState == .invalidPassword {
                return false
            }
        }
    }

    @Test(arguments: ServerVersion.allCases)
    func aPasswordIsChangedAndReadWithItsRemainingLife(version: ServerVersion) async throws {
        let bench = try await Bench("static_plain", on: version)
        let users = bench.users()
        try await users.recover()
        #expect(try users.read("report") == nil)
        #expect(throws: LeaseError.self) { try users.read("other") }
        try await users.rotate("report")
        let first = try #require(try users.read("report"))
        #expect(first.credential.username == "static_plain" && first.timeLeft == .seconds(3_600))
        #expect(first.alternative == nil)
        #expect(try await bench.opens(first.credential.password))
        #expect(try await !bench.opens(SecretText("by hand")))
        await bench.time.advance(by: .seconds(600))
        #expect(try users.read("report")?.timeLeft == .seconds(3_000))
        await bench.time.advance(by: .seconds(9_000))
        #expect(try users.read("report")?.timeLeft == .zero)
        // Another process reads the same, without a server.
        let successor = bench.users()
        try await successor.recover()
        #expect(try successor.read("report")?.credential == first.credential)
        #expect(!"\(first) \(String(reflecting: first))".contains(first.credential.password.withText { $0 }))
    }

    @Test func itIsChangedOnItsSchedule() async throws {
        let bench = try await Bench("static_scheduled")
        let users = bench.users()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await users.run() }
            var seen: [SecretText] = []
            for _ in 0..<3 {
                // Whoever sleeps has nothing left to do.
                try await bench.time.waitForSleepers(1)
                let now = try #require(try users.read("report"))
                #expect(!seen.contains(now.credential.password))
                #expect(try await bench.opens(now.credential.password))
                seen.append(now.credential.password)
                for _ in 0..<60 {
                    try await bench.time.waitForSleepers(1)
                    await bench.time.advance(by: .seconds(60))
                }
            }
            group.cancelAll()
            while let outcome = await group.nextResult() {
                #expect(throws: CancellationError.self) { try outcome.get() }
            }
        }
    }

    /// What is not due is not changed because the keeper could not be read for a moment, or because somebody else came first.
    @Test func nothingIsChangedBeforeItsTime() async throws {
        let isOut = Locked(false)
        let keeper = InMemorySecretKeeper { call in isOut.withLock { $0 } && call.kind == .load ? .unavailable : nil }
        let bench = try await Bench("static_early", keeper: keeper)
        let first = bench.users()
        try await first.rotate("report")
        let old = try #require(try first.read("report")).credential
        isOut.withLock { $0 = true }
        let second = bench.users()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await second.run() }
            try await bench.time.waitForSleepers(1)
            #expect(try second.read("report") == nil)
            isOut.withLock { $0 = false }
            await bench.time.advance(by: .seconds(15))
            try await bench.time.waitForSleepers(1)
            #expect(try second.read("report")?.credential == old)
            // The other one changes it when it is due; this one sees that, and leaves it.
            let changes = { keeper.calls.filter { $0.kind == .commit }.count }
            for _ in 0..<58 {
                await bench.time.advance(by: .seconds(60))
                try await bench.time.waitForSleepers(1)
            }
            try await first.rotate("report")
            let before = changes()
            for _ in 0..<5 {
                await bench.time.advance(by: .seconds(60))
                try await bench.time.waitForSleepers(1)
            }
            #expect(changes() == before)
            #expect(try second.read("report")?.credential == (try first.read("report")?.credential))
            group.cancelAll()
            while let outcome = await group.nextResult() {
                #expect(throws: CancellationError.self) { try outcome.get() }
            }
        }
    }

    @Test func aPolicyThatMakesNoPasswordIsAnError() async throws {
        let bench = try await Bench("static_policy")
        let short = StaticUser(role: bench.role, schedule: .every(.seconds(60)), policy: PasswordPolicy(length: 3))
        let none = StaticUser(role: bench.role, schedule: .every(.seconds(60)), iterations: 0)
        let users = StaticUsers(
            ["short": short, "none": none],
            client: bench.client,
            configuration: bench.server.configuration(),
            keeper: bench.keeper
        )
        for name in ["short", "none"] {
            let error = await #expect(throws: PostgresError.self) { try await users.rotate(name) }
            #expect(error?.code == "policy")
        }
        #expect(bench.keeper.names.isEmpty)
    }

    /// The process dies between the steps, and the next one finishes what is staged.
    @Test(arguments: [KeeperCall.Kind.stage, .commit], ServerVersion.allCases)
    func aCrashIsMadeGood(kind: KeeperCall.Kind, version: ServerVersion) async throws {
        for fault in [KeeperFault.unavailable, .unknown] { try await crash(at: kind, fault, version) }
    }

    private func crash(at kind: KeeperCall.Kind, _ fault: KeeperFault, _ version: ServerVersion) async throws {
        let isArmed = Locked(false)
        let keeper = InMemorySecretKeeper { call in
            isArmed.withLock { isArmed in
                guard isArmed, call.kind == kind else { return nil }
                isArmed = false
                return fault
            }
        }
        let bench = try await Bench("static_crash_\(kind)_\(fault == .unknown)", on: version, keeper: keeper)
        try await bench.users().rotate("report")
        isArmed.withLock { $0 = true }
        await #expect(throws: SecretKeeperError.self) { try await bench.users().rotate("report") }
        let successor = bench.users()
        try await successor.recover()
        let between = try #require(try successor.read("report"))
        // One of the two is the right one, at any time.
        var right = try await bench.opens(between.credential.password) ? 1 : 0
        if let alternative = between.alternative, try await bench.opens(alternative) { right += 1 }
        #expect(right == 1)
        try await successor.rotate("report")
        let after = try #require(try successor.read("report"))
        #expect(after.alternative == nil)
        #expect(try await bench.opens(after.credential.password))
        #expect(try await keeper.load("postgres/static/report").staged == nil)
    }

    /// The server takes the change, and then refuses the login: the old password is set again.
    @Test(arguments: ServerVersion.allCases)
    func aPasswordThatDoesNotOpenTheServerIsTakenBack(version: ServerVersion) async throws {
        let bench = try await Bench("static_refused", on: version)
        let users = bench.users()
        try await users.rotate("report")
        let good = try #require(try users.read("report"))
        try await bench.server.sql("ALTER ROLE static_refused NOLOGIN")
        let error = await #expect(throws: PostgresError.self) { try await users.rotate("report") }
        #expect(error?.sqlState == .invalidAuthorization)
        #expect(try users.read("report")?.credential == good.credential)
        #expect(try await bench.keeper.load("postgres/static/report").staged == nil)
        // It was tried with a fresh password before it was given up.
        #expect(bench.keeper.calls.filter { $0.kind == .discard }.count == 2)
        try await bench.server.sql("ALTER ROLE static_refused LOGIN")
        #expect(try await bench.opens(good.credential.password))
    }

    @Test func aRoleThatIsNotThereLeavesNothingStaged() async throws {
        let bench = try await Bench("static_gone")
        try await bench.server.sql("DROP ROLE static_gone")
        let users = bench.users()
        let error = await #expect(throws: PostgresError.self) { try await users.rotate("report") }
        #expect(error?.kind == .gone)
        #expect(try await bench.keeper.load("postgres/static/report").isEmpty)
    }

    @Test func aUserWithoutADatabaseIsServed() async throws {
        let bench = try await Bench("static_elsewhere")
        try await bench.server.sql(
            "CREATE DATABASE static_closed",
            "REVOKE CONNECT ON DATABASE static_closed FROM PUBLIC"
        )
        var configuration = bench.server.configuration()
        configuration.database = "static_closed"
        let users = StaticUsers(
            ["report": StaticUser(role: bench.role, schedule: .every(.seconds(60)), iterations: 2)],
            client: bench.client,
            configuration: configuration,
            keeper: bench.keeper
        )
        try await users.rotate("report")
        let now = try #require(try users.read("report"))
        #expect(try await bench.opens(now.credential.password))
        try await bench.server.sql("DROP DATABASE static_closed")
    }
}
