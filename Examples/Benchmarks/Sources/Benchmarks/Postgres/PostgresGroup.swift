// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres
import LeaseKitSQLite

/// Database users, against libpq alone doing the same statements in the same run.
func measurePostgres(_ scale: Scale) async throws -> [Measurement] {
    guard let server = BenchServer() else {
        complain("the group postgres needs a server: run it with Examples/run, which starts one")
        return []
    }
    let raw = RawPostgres(server)
    raw.run(["CREATE ROLE readers NOLOGIN"])
    var measurements: [Measurement] = []
    let isQuick = scale.largest <= 10_000
    for syncs in isQuick ? [true] : [true, false] {
        raw.run(["ALTER SYSTEM SET fsync = \(syncs ? "on" : "off")", "SELECT pg_reload_conf()"])
        try await Task.sleep(for: .milliseconds(500))
        for callers in [1, 8, 32] {
            let bench = PostgresCalls(server: server, raw: raw, callers: callers, syncs: syncs)
            measurements += try await bench.measure(iterations: 4_096, count: isQuick ? 96 : 320)
            measurements += try await bench.measure(iterations: 1, count: isQuick ? 320 : 1_600)
        }
        measurements += try await measurePrefix(server, isQuick ? 1_000 : 5_000, syncs: syncs)
    }
    measurements += try await measureTables(server, raw, tables: 200, schemas: 1)
    if !isQuick { measurements += try await measureTables(server, raw, tables: 2_000, schemas: 20) }
    return measurements
}

/// A manager over a new store, which is durable unless nothing else is said.
func world<Result>(
    _ server: BenchServer,
    connections: Int,
    roles: [String: PostgresRole],
    isDurable: Bool = true,
    _ body: (LeaseManager, Mount<PostgresRequest, PostgresCredential>) async throws -> Result
) async throws -> Result {
    let directory = ScratchDirectory()
    let client = server.client(connections)
    let backend = try PostgresBackend(client: client, roles: roles)
    let store: any LeaseStore =
        isDurable ? SQLiteLeaseStore(path: directory.path + "/leases") : InMemoryLeaseStore()
    let result = try await withLeaseManager(store: store) { manager in
        let settings = MountSettings(
            concurrency: 64,
            revocationConcurrency: 64,
            issueTimeout: .seconds(120),
            revokeTimeout: .seconds(120)
        )
        return try await body(manager, manager.mount(backend, at: "db", settings))
    }
    await client.close()
    return result
}

/// Lets callers do their part of `count` operations at once; microseconds an operation.
func time(
    _ count: Int,
    callers: Int,
    _ operation: @escaping @Sendable (Int) async throws -> Void
) async throws -> Double {
    let share = max(1, count / callers)
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in 0..<callers {
            group.addTask { for round in 0..<share { try await operation(caller * share + round) } }
        }
        try await group.waitForAll()
    }
    return (ContinuousClock.now - start) / .microseconds(1) / Double(share * callers)
}
