// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres
import LeaseKitSQLite
import Testing

/// A sweep finds what is ours and has no lease, and nothing else.
@Suite struct PostgresSweepTests {
    @Test(.timeLimit(.minutes(4)))
    func endsOrphansAmongStrangers() async throws {
        let server = try TestServer()
        let strangers = """
            DO $$ BEGIN FOR i IN 1..10000 LOOP EXECUTE 'CREATE ROLE stranger_' || i; END LOOP; END $$
            """
        try await server.sql(strangers)
        let bench = try await BackendBench(server: server, maxConnections: 8)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("leasekit-\(LeaseID.random())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = SQLiteLeaseStore(path: folder.appendingPathComponent("leases.sqlite").path)
        let configuration = LeaseManager.Configuration(deployment: bench.deployment)
        try await withLeaseManager(store: store, configuration: configuration) { manager in
            let mount = try await manager.mount(bench.backend, at: "db")
            var live: [Lease<PostgresCredential>] = []
            for _ in 0..<5 { live.append(try await mount.issue("app", IssueOptions(ttl: .seconds(3_600)))) }
            let epoch = try await epoch(of: live[0], on: server)
            let old = SystemTime().read().wall - .seconds(3_600)
            try await plant(1_000, "ours", bench.deployment, epoch, madeAt: old, on: server)
            try await plant(200, "other", bench.deployment + "x", epoch, madeAt: old, on: server)
            try await plant(50, "copy", bench.deployment, epoch + 7, madeAt: old, on: server)
            try await plant(50, "young", bench.deployment, epoch, madeAt: SystemTime().read().wall, on: server)

            let look = try await manager.sweepOrphans(ofMountAt: "db", SweepOptions(isDryRun: true))
            print(
                "dry run: \(look.orphans) orphans of \(look.examined), such as \(look.found.prefix(3).map(\.lease.text))"
            )
            #expect(look.examined == 1_105)
            #expect(look.known == 5)
            #expect(look.orphans == 1_000)
            #expect(look.tooYoung == 50)
            #expect(look.foreignEpoch == 50)
            #expect(look.ended == 0)
            #expect(try await names(on: server, like: "ours\\_%") == 1_000)

            let report = try await manager.sweepOrphans(ofMountAt: "db")
            #expect(report.ended == 1_000)
            #expect(report.failed == 0)
            #expect(try await names(on: server, like: "ours\\_%") == 0)
            #expect(try await names(on: server, like: "other\\_%") == 200)
            #expect(try await names(on: server, like: "copy\\_%") == 50)
            #expect(try await names(on: server, like: "young\\_%") == 50)
            #expect(try await names(on: server, like: "stranger\\_%") == 10_000)
            for lease in live { #expect(try await bench.opens(lease.secret)) }
        }
    }

    private func epoch(of lease: Lease<PostgresCredential>, on server: TestServer) async throws -> UInt64 {
        let comment = try await server.sql(
            "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '\(lease.secret.username)'"
        )
        let words = comment[0].first?.split(separator: " ").map(String.init) ?? []
        let word = try #require(words.first { $0.hasPrefix("epoch=") })
        return try #require(UInt64(word.dropFirst("epoch=".count)))
    }

    private func plant(
        _ count: Int,
        _ kind: String,
        _ deployment: String,
        _ epoch: UInt64,
        madeAt: LeaseInstant,
        on server: TestServer
    ) async throws {
        let rows = (0..<count).map { place in
            let tag =
                "leasekit/1 \(deployment) \(LeaseID.random()) epoch=\(epoch) role=app made=\(madeAt.nanosecondsSinceEpoch)"
            return "('\(kind)_\(place)', '\(tag)')"
        }
        try await server.sql(
            """
            DO $$ DECLARE r record; BEGIN
                FOR r IN SELECT * FROM (VALUES \(rows.joined(separator: ","))) v (name, tag) LOOP
                    EXECUTE format('CREATE ROLE %I', r.name);
                    EXECUTE format('COMMENT ON ROLE %I IS %L', r.name, r.tag);
                END LOOP;
            END $$
            """
        )
    }

    private func names(on server: TestServer, like pattern: String) async throws -> Int {
        let answer = try await server.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE '\(pattern)'")
        return answer[0].first.flatMap { Int($0) } ?? -1
    }
}
