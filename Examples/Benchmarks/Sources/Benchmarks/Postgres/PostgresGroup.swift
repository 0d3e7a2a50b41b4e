// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres
import LeaseKitSQLite

/// Database users, over the durable store, against libpq alone doing the same statements in the same run.
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
            let bench = PostgresBench(server: server, raw: raw, callers: callers, syncs: syncs)
            measurements += try await bench.measure(iterations: 4_096, count: isQuick ? 96 : 320)
            measurements += try await bench.measure(iterations: 1, count: isQuick ? 320 : 1_600)
        }
    }
    measurements += try await measurePrefix(server, raw, isQuick ? 1_000 : 5_000)
    measurements += try await measureTables(server, raw, tables: 200, schemas: 1)
    if !isQuick { measurements += try await measureTables(server, raw, tables: 2_000, schemas: 20) }
    return measurements
}

/// A manager over a new durable store, with one role by membership.
private func world<Result>(
    _ server: BenchServer,
    connections: Int,
    roles: [String: PostgresRole],
    _ body: (LeaseManager, Mount<PostgresRequest, PostgresCredential>) async throws -> Result
) async throws -> Result {
    let directory = ScratchDirectory()
    let client = server.client(connections)
    let backend = try PostgresBackend(client: client, roles: roles)
    let store = SQLiteLeaseStore(path: directory.path + "/leases")
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
private func time(
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

/// Issue, renew and revoke at one number of callers.
private struct PostgresBench {
    let server: BenchServer
    let raw: RawPostgres
    let callers: Int
    let syncs: Bool

    func measure(iterations: Int, count: Int) async throws -> [Measurement] {
        let label = "\(callers) callers, \(iterations) iterations, fsync \(syncs ? "on" : "off")"
        let run = UInt32.random(in: 0 ... .max)
        let isCheap = iterations == 1
        // Made anew for each user, as an application has to.
        // The same statements, in as many round trips.
        let guarding = "SELECT 1 / (clock_timestamp() < '2100-01-01'::timestamptz)::int"
        let rawIssue = raw.time(count, callers: callers) { number, cheap in
            let verifier = isCheap ? cheap : BenchServer.makeVerifier(iterations: iterations)
            return [
                """
                BEGIN; SELECT set_config('application_name', 'raw', true), pg_advisory_xact_lock(\(number));
                CREATE ROLE raw_\(run)_\(number) LOGIN PASSWORD '\(verifier)' VALID UNTIL '2100-01-01' IN ROLE readers;
                COMMENT ON ROLE raw_\(run)_\(number) IS 'made by nobody in particular, but with a comment of some length';
                \(guarding); COMMIT
                """
            ]
        }
        let rawRenew = raw.time(count, callers: callers) { number, _ in
            ["BEGIN; \(guarding); ALTER ROLE raw_\(run)_\(number) VALID UNTIL '2101-01-01'; COMMIT"]
        }
        let rawRevoke = raw.time(count, callers: callers) { number, _ in
            let name = "raw_\(run)_\(number)"
            let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(name)'"
            return [
                "BEGIN; SELECT pg_advisory_xact_lock(\(number)); ALTER ROLE \(name) NOLOGIN; \(sessions); COMMIT",
                "BEGIN; SELECT pg_advisory_xact_lock(\(number)); DROP ROLE \(name); \(sessions); COMMIT",
            ]
        }
        let role = PostgresRole(.memberOf("readers"), ttl: .seconds(3_600), iterations: iterations)
        let count = max(1, count / callers) * callers
        return try await world(server, connections: min(callers, 16), roles: ["app": role]) { _, mount in
            // The connections are there before the clock runs, as the baseline's are.
            for lease in try await issue(callers, mount) { _ = try await mount.revoke(lease) }
            let leases = LeaseList(count)
            let (busy, wall) = (server.processorTime, ContinuousClock.now)
            let issued = try await time(count, callers: callers) { leases.set($0, try await mount.issue("app").id) }
            let share = (server.processorTime - busy) / ((ContinuousClock.now - wall) / .seconds(1))
            let renewed = try await time(count, callers: callers) { _ = try await mount.renew(leases[$0]) }
            let revoked = try await time(count, callers: callers) { _ = try await mount.revoke(leases[$0]) }
            return [
                Measurement(
                    "Postgres: issue, \(label)",
                    issued,
                    "µs",
                    baseline: rawIssue,
                    target: isCheap ? rawIssue + 250 : rawIssue / 0.85
                ),
                Measurement("Postgres: the server's processors while issuing, \(label)", share, "CPUs"),
                Measurement("Postgres: renew, \(label)", renewed, "µs", baseline: rawRenew, target: rawRenew / 0.8),
                Measurement("Postgres: revoke, \(label)", revoked, "µs", baseline: rawRevoke, target: rawRevoke / 0.7),
            ]
        }
    }

    private func issue(
        _ count: Int,
        _ mount: Mount<PostgresRequest, PostgresCredential>
    ) async throws -> [LeaseID] {
        try await withThrowingTaskGroup(of: LeaseID.self) { group in
            for _ in 0..<count { group.addTask { try await mount.issue("app").id } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

/// Leases by the number of who issued them.
private final class LeaseList: @unchecked Sendable {
    private let lock = NSLock()
    private var ids: [LeaseID]

    init(_ count: Int) { ids = [LeaseID](repeating: LeaseID(high: 0, low: 0), count: count) }

    subscript(place: Int) -> LeaseID { lock.withLock { ids[place] } }
    func set(_ place: Int, _ id: LeaseID) { lock.withLock { ids[place] = id } }
}

/// One order over many leases, against revoking them one after another.
private func measurePrefix(_ server: BenchServer, _ raw: RawPostgres, _ count: Int) async throws -> [Measurement] {
    let role = PostgresRole(.memberOf("readers"), ttl: .seconds(3_600), iterations: 1)
    return try await world(server, connections: 8, roles: ["app": role, "one": role]) { manager, mount in
        let few = LeaseList(count / 10)
        _ = try await time(count / 10, callers: 8) { few.set($0, try await mount.issue("one").id) }
        let single = try await time(count / 80 * 8, callers: 1) { _ = try await mount.revoke(few[$0]) }
        _ = try await time(count, callers: 8) { _ in _ = try await mount.issue("app") }
        let start = ContinuousClock.now
        _ = try await manager.revoke(.prefix("db/creds/app"), RevokeOptions(wait: .seconds(120)))
        let all = (ContinuousClock.now - start) / .microseconds(1)
        return [
            Measurement(
                "Postgres: a lease of a prefix of \(text(of: count))",
                all / Double(count),
                "µs",
                baseline: single,
                target: single / 3
            ),
            Measurement("Postgres: a prefix of \(text(of: count)), all gone", all / 1_000_000, "s"),
        ]
    }
}

/// Users with rights on many tables: made at once, and ended against what Vault does by default.
private func measureTables(
    _ server: BenchServer,
    _ raw: RawPostgres,
    tables: Int,
    schemas: Int
) async throws -> [Measurement] {
    let names = (0..<schemas).map { schemas == 1 ? "public" : "bench\($0)" }
    raw.run(names.filter { $0 != "public" }.map { "CREATE SCHEMA \($0)" })
    raw.run(
        names.map { schema in
            """
            DO $$ BEGIN FOR i IN 1..\(tables / schemas) LOOP
                EXECUTE 'CREATE TABLE \(schema).bench' || i || ' (a int, b int, c int, d int)';
            END LOOP; END $$
            """
        }
    )
    // As the fixture has other users, too.
    let grants = names.map { "GRANT SELECT ON ALL TABLES IN SCHEMA \($0) TO USER" }
    let crowd = (0..<30).map { "crowd\(tables)_\($0)" }
    for user in crowd {
        raw.run(["CREATE ROLE \(user)"] + grants.map { $0.replacingOccurrences(of: "USER", with: user) })
    }
    let victims = (0..<5).map { "vault\(tables)_\($0)" }
    for user in victims {
        raw.run(["CREATE ROLE \(user)"] + grants.map { $0.replacingOccurrences(of: "USER", with: user) })
    }
    let vault = median(victims.map { raw.revokeAsVaultDoes($0) })
    let creation =
        "CREATE ROLE {{name}} LOGIN PASSWORD {{password}};"
        + grants.map { $0.replacingOccurrences(of: "USER", with: "{{name}}") }.joined(separator: ";")
    let role = PostgresRole(.statements(creation: creation), ttl: .seconds(3_600), iterations: 1)
    let measured = try await world(server, connections: 8, roles: ["app": role]) { _, mount in
        var times: [Double] = []
        for _ in 0..<7 {
            let lease = try await mount.issue("app")
            let start = ContinuousClock.now
            _ = try await mount.revoke(lease.id)
            times.append((ContinuousClock.now - start) / .microseconds(1))
        }
        var errors = 0.0
        if tables == 200 {
            errors = try await withThrowingTaskGroup(of: Double.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var errors = 0.0
                        for _ in 0..<25 { if (try? await mount.issue("app")) == nil { errors += 1 } }
                        return errors
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        return (revoke: median(times), errors: errors)
    }
    let owned = crowd.joined(separator: ", ")
    raw.run(["DROP OWNED BY \(owned)", "DROP ROLE \(owned)"])
    var measurements = [
        Measurement(
            "Postgres: revoke with rights on \(text(of: tables)) tables, against Vault's statements",
            measured.revoke,
            "µs",
            baseline: vault,
            target: vault / 8
        )
    ]
    if tables == 200 {
        measurements.append(
            Measurement("Postgres: 8 × 25 issues with grants on 200 tables: errors", measured.errors, "", target: 0)
        )
    }
    return measurements
}
