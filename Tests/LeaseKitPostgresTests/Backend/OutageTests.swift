// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres
import LeaseKitSQLite
import Testing

/// Servers go away and come back: nothing is lost, nothing is given up, and what is due is done within seconds.
@Suite(.serialized) struct PostgresOutageTests {
    /// A server of its own, and a manager on a durable store.
    private func withManager(
        settings: [String: String] = [:],
        maxConnections: Int = 4,
        viaProxy: Bool = false,
        _ body: (LeaseManager, Mount<PostgresRequest, PostgresCredential>, BackendBench, TestProxy) async throws -> Void
    ) async throws {
        let server = try TestServer(.system, .init(settings: settings))
        let proxy = try TestProxy(to: server)
        let host = viaProxy ? proxy.host : nil
        let bench = try await BackendBench(server: server, host: host, maxConnections: maxConnections)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("leasekit-\(LeaseID.random())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = SQLiteLeaseStore(path: folder.appendingPathComponent("leases.sqlite").path)
        try await withLeaseManager(store: store) { manager in
            let mount = try await manager.mount(
                bench.backend,
                at: "db",
                MountSettings(
                    issueTimeout: .seconds(6),
                    renewTimeout: .seconds(6),
                    revokeTimeout: .seconds(6),
                    probeInterval: .seconds(1)
                )
            )
            try await body(manager, mount, bench, proxy)
        }
        await bench.client.close()
    }

    private let time = SystemTime()

    /// Waits until something holds; real servers and a real clock leave nothing else to wait for.
    private func eventually(
        within limit: Duration = .seconds(30),
        _ condition: () async throws -> Bool
    ) async throws -> Bool {
        let deadline = time.read().continuous + limit
        while time.read().continuous < deadline {
            if try await condition() { return true }
            try await time.sleep(until: time.read().continuous + .milliseconds(30))
        }
        return false
    }

    private func roles(_ bench: BackendBench) async throws -> String? {
        try await bench.server.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lk\\_%'")[0].first
    }

    @Test(.timeLimit(.minutes(2)))
    func stoppedAndStarted() async throws {
        try await withManager { manager, mount, bench, _ in
            for _ in 0..<5 { _ = try await mount.issue("app") }
            bench.server.stop()
            await #expect(throws: LeaseError.self) { try await mount.issue("app") }
            let report = try await manager.revoke(.prefix("db"), RevokeOptions(wait: .seconds(2)))
            #expect(!report.isComplete)
            try bench.server.start()
            #expect(try await eventually { try await manager.counts().total == 0 })
            #expect(try await roles(bench) == "0")
            let after = try await manager.report(of: report.order)
            #expect(after.isComplete)
            #expect(after.stuck == 0)
            let lease = try await mount.issue("app")
            #expect(try await bench.opens(lease.secret))
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func restartedUnderLoad() async throws {
        try await withManager { manager, mount, bench, _ in
            let done = Locked(0)
            let isOver = Locked(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while !isOver.withLock({ $0 }) {
                            do {
                                let lease = try await mount.issue("app")
                                _ = try? await mount.renew(lease.id)
                                _ = try await mount.revoke(lease.id, RevokeOptions(wait: .zero))
                                done.withLock { $0 += 1 }
                            } catch {
                                try await time.sleep(until: time.read().continuous + .milliseconds(20))
                            }
                        }
                    }
                }
                for mode in [TestServer.StopMode.fast, .immediate] {
                    let before = done.withLock { $0 }
                    #expect(try await eventually { done.withLock { $0 } > before + 10 })
                    bench.server.stop(mode)
                    try bench.server.start()
                }
                let before = done.withLock { $0 }
                #expect(try await eventually { done.withLock { $0 } > before + 10 })
                isOver.withLock { $0 = true }
                try await group.waitForAll()
            }
            // Nothing is given up: with every lease gone, no role is left.
            _ = try await manager.revoke(.prefix("db"), RevokeOptions(wait: .zero))
            #expect(try await eventually { try await manager.counts().total == 0 })
            #expect(try await roles(bench) == "0")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func noConnectionIsFree() async throws {
        let few = ["max_connections": "6", "superuser_reserved_connections": "0", "max_wal_senders": "0"]
        try await withManager(settings: few, maxConnections: 2) { manager, mount, bench, _ in
            let first = try await mount.issue("app")
            let hoarder = LibPQClient(bench.server.configuration(maxConnections: 8))
            // The backend's own are closed first, so that it has to ask for new ones.
            try await bench.server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            )
            try await hoard(6, hoarder) {
                let failure = await #expect(throws: LeaseError.self) { try await mount.issue("app") }
                #expect(failure?.isRetryable == true, "\(String(describing: failure))")
                _ = try await mount.revoke(first.id, RevokeOptions(wait: .zero))
            }
            await hoarder.close()
            #expect(try await eventually { try await manager.counts().total == 0 })
            #expect(try await roles(bench) == "0")
        }
    }

    /// Holds as many connections as there are while `body` runs.
    private func hoard(
        _ count: Int,
        _ client: LibPQClient,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        if count == 0 { return try await body() }
        do {
            try await client.withSession(database: nil, timeout: .seconds(60)) { session in
                _ = try await session.run(["SELECT 1"])
                try await hoard(count - 1, client, body)
            }
        } catch let error as PostgresError where error.sqlState == .tooManyConnections || error.scope == .target {
            // Others hold the rest: full is full.
            try await body()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func theAdminsPasswordIsChangedOutside() async throws {
        let server = try TestServer()
        let bench = try await BackendBench(.system, .createRole, server: server)
        try await run(bench) { manager, mount in
            let lease = try await mount.issue("app")
            try await server.sql(
                "ALTER ROLE \(bench.admin) PASSWORD 'something else'",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(bench.admin)'"
            )
            let report = try await manager.revoke(.lease(lease.id), RevokeOptions(wait: .seconds(2)))
            #expect(!report.isComplete)
            // The whole target is at fault: no lease is charged for it, none is stuck.
            #expect(try await manager.lease(lease.id)?.attempts == 0)
            #expect(report.stuck == 0)
            let old = bench.adminPassword.withText { $0 }
            try await server.sql("ALTER ROLE \(bench.admin) PASSWORD '\(old)'")
            #expect(try await eventually { try await manager.counts().total == 0 })
            #expect(try await !bench.exists(lease.secret.username))
        }
    }

    private func run(
        _ bench: BackendBench,
        _ body: (LeaseManager, Mount<PostgresRequest, PostgresCredential>) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("leasekit-\(LeaseID.random())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = SQLiteLeaseStore(path: folder.appendingPathComponent("leases.sqlite").path)
        try await withLeaseManager(store: store) { manager in
            try await body(manager, manager.mount(bench.backend, at: "db", MountSettings(probeInterval: .seconds(1))))
        }
        await bench.client.close()
    }

    /// The wire is cut when the server has been asked and has not answered yet, or before it is asked.
    @Test(.timeLimit(.minutes(2)))
    func theWireIsCutInACommit() async throws {
        try await withManager(viaProxy: true) { manager, mount, bench, proxy in
            _ = try await mount.issue("app")
            proxy.set(.loseAnswer(to: "CREATE ROLE"))
            let lease = try await mount.issue("app")
            #expect(try await bench.opens(lease.secret), "the server had done it: it is found by its comment")

            proxy.set(.loseRequest("CREATE ROLE"))
            async let second = mount.issue("app")
            try await time.sleep(until: time.read().continuous + .milliseconds(700))
            proxy.set(.none)
            let late = try await second
            #expect(try await bench.opens(late.secret), "the server had not heard of it: it is asked again")

            proxy.set(.loseAnswer(to: "DROP ROLE"))
            _ = try await mount.revoke(lease.id, RevokeOptions(wait: .seconds(1)))
            proxy.set(.none)
            #expect(try await eventually { try await manager.lease(lease.id) == nil })
            #expect(try await !bench.exists(lease.secret.username))

            proxy.set(.loseAnswer(to: "VALID UNTIL"))
            await #expect(throws: LeaseError.self) { try await mount.renew(late.id) }
            proxy.set(.none)
            #expect(try await eventually { (try? await mount.renew(late.id)) != nil })
            #expect(try await roles(bench) == "2")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func theServerIsReadOnly() async throws {
        try await withManager { manager, mount, bench, _ in
            let lease = try await mount.issue("app")
            try await bench.server.sql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
            #expect(try await eventually { (try? await mount.issue("app")) == nil })
            let report = try await manager.revoke(.lease(lease.id), RevokeOptions(wait: .seconds(1)))
            #expect(!report.isComplete)
            #expect(report.stuck == 0)
            try await allowWrites(bench)
            #expect(try await eventually { try await manager.lease(lease.id) == nil })
            #expect(try await !bench.exists(lease.secret.username))
        }
    }

    private func allowWrites(_ bench: BackendBench) async throws {
        var configuration = bench.server.configuration(maxConnections: 1)
        configuration.target = .any
        let client = LibPQClient(configuration)
        try await client.run("ALTER SYSTEM RESET default_transaction_read_only")
        try await client.run("SELECT pg_reload_conf()")
        await client.close()
    }

    /// A user that owns something is stuck, listed with its reason, and goes when somebody has moved what it owns.
    @Test(.timeLimit(.minutes(2)))
    func aUserOwnsSomething() async throws {
        try await withManager { manager, mount, bench, _ in
            let lease = try await mount.issue("app")
            let name = lease.secret.username
            try await bench.server.sql(
                "CREATE TABLE public.orders_\(bench.tail) (a int)",
                "ALTER TABLE public.orders_\(bench.tail) OWNER TO \(name)"
            )
            let report = try await manager.revoke(.lease(lease.id), RevokeOptions(wait: .seconds(5)))
            #expect(report.stuck == 1, "\(report)")
            let record = try #require(try await manager.lease(lease.id))
            #expect(record.state == .stuck)
            #expect(record.failure?.message.contains("public.orders_\(bench.tail)") == true, "\(record)")
            #expect(try await !bench.opens(lease.secret))
            try await bench.server.sql("ALTER TABLE public.orders_\(bench.tail) OWNER TO postgres")
            try await manager.rearm(mountAt: "db")
            #expect(try await eventually { try await manager.lease(lease.id) == nil })
            #expect(try await !bench.exists(name))
        }
    }
}
