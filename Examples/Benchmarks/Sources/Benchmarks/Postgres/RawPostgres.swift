// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CRawPQ
import Foundation

/// The baseline: libpq with one thread and one connection for each caller, one round trip an operation.
final class RawPostgres: @unchecked Sendable {
    private let server: BenchServer

    init(_ server: BenchServer) { self.server = server }

    private func connect() -> OpaquePointer? {
        PQconnectdb(
            "host=127.0.0.1 port=\(server.port) user=postgres password=\(server.password) dbname=postgres sslmode=disable"
        )
    }

    /// Lets callers do their part of `count` operations at once.
    ///
    /// - Parameter isPrepared: Whether each connection has statements that repeat prepared, and sends all of an operation as a
    ///   pipeline; a plain query of several statements otherwise.
    func cost(
        _ count: Int,
        callers: Int,
        isPrepared: Bool,
        _ transactions: @escaping @Sendable (_ number: Int) -> [[RawStatement]]
    ) -> Cost {
        let share = count / callers
        let connections = (0..<callers).map { _ in connect() }
        if isPrepared { for connection in connections { prepare(transactions(0), connection) } }
        let failures = NSLock()
        nonisolated(unsafe) var failed = 0
        let group = DispatchGroup()
        let meter = Meter(server)
        let start = ContinuousClock.now
        for (caller, connection) in connections.enumerated() {
            group.enter()
            nonisolated(unsafe) let connection = connection
            Thread.detachNewThread {
                for round in 0..<share {
                    let work = transactions(caller * share + round)
                    if isPrepared ? self.pipeline(work, connection) : self.query(work, connection) { continue }
                    failures.withLock { failed += 1 }
                }
                group.leave()
            }
        }
        group.wait()
        let wall = (ContinuousClock.now - start) / .microseconds(1) / Double(count)
        let cost = meter.cost(of: count, wall: wall)
        for connection in connections { PQfinish(connection) }
        if failed > 0 { complain("\(failed) operations of the baseline failed") }
        return cost
    }

    /// All of it in one text; true when all of it was carried out.
    private func query(_ transactions: [[RawStatement]], _ connection: OpaquePointer?) -> Bool {
        let texts = transactions.flatMap { [Self.begin] + $0.map(\.inlined) + ["COMMIT"] }
        let result = PQexec(connection, texts.joined(separator: "; "))
        defer { PQclear(result) }
        return isDone(result)
    }

    private static let begin = "BEGIN ISOLATION LEVEL READ COMMITTED"

    private func prepare(_ transactions: [[RawStatement]], _ connection: OpaquePointer?) {
        var names: Set<String> = []
        for statement in transactions.joined() {
            guard let name = statement.name, names.insert(name).inserted else { continue }
            PQclear(PQprepare(connection, name, statement.text, 0, nil))
        }
        PQenterPipelineMode(connection)
    }

    /// The same as a pipeline.
    private func pipeline(_ transactions: [[RawStatement]], _ connection: OpaquePointer?) -> Bool {
        for transaction in transactions {
            for statement in [RawStatement(text: Self.begin)] + transaction + [RawStatement(text: "COMMIT")] {
                let values = statement.parameters.map { UnsafePointer(strdup($0)) as UnsafePointer<CChar>? }
                defer { for value in values { free(UnsafeMutablePointer(mutating: value)) } }
                let count = Int32(values.count)
                if let name = statement.name {
                    PQsendQueryPrepared(connection, name, count, values, nil, nil, 0)
                } else {
                    PQsendQueryParams(connection, statement.text, count, nil, values, nil, nil, 0)
                }
            }
            PQpipelineSync(connection)
        }
        var (syncs, allDone) = (0, true)
        while syncs < transactions.count {
            guard let result = PQgetResult(connection) else { continue }
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_PIPELINE_SYNC { syncs += 1 } else if !isDone(result) { allDone = false }
        }
        return allDone
    }

    private func isDone(_ result: OpaquePointer?) -> Bool {
        let status = PQresultStatus(result)
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
    }

    /// Runs statements, each for itself.
    func run(_ statements: [String]) {
        let connection = connect()
        defer { PQfinish(connection) }
        for statement in statements {
            let result = PQexec(connection, statement)
            let status = PQresultStatus(result)
            if status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK {
                complain(String(cString: PQerrorMessage(connection)))
            }
            PQclear(result)
        }
    }

    /// What Vault does to revoke a role that has no revocation statements; microseconds.
    func revokeAsVaultDoes(_ role: String) -> Double {
        let connection = connect()
        defer { PQfinish(connection) }
        func rows(_ text: String) -> [String] {
            let result = PQexec(connection, text)
            defer { PQclear(result) }
            return (0..<PQntuples(result)).map { String(cString: PQgetvalue(result, $0, 0)) }
        }
        let start = ContinuousClock.now
        _ = rows("SELECT exists (SELECT rolname FROM pg_roles WHERE rolname = '\(role)')")
        let schemas = rows(
            "SELECT DISTINCT table_schema FROM information_schema.role_column_grants WHERE grantee = '\(role)'"
        )
        var statements: [String] = []
        for schema in schemas {
            statements.append("REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA \(schema) FROM \(role)")
            statements.append("REVOKE USAGE ON SCHEMA \(schema) FROM \(role)")
        }
        statements += [
            "REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA public FROM \(role)",
            "REVOKE ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA public FROM \(role)",
            "REVOKE USAGE ON SCHEMA public FROM \(role)",
        ]
        let database = rows("SELECT current_database()").first ?? "postgres"
        statements += ["REVOKE CONNECT ON DATABASE \(database) FROM \(role)", "DROP ROLE IF EXISTS \(role)"]
        for statement in statements { _ = rows(statement) }
        return (ContinuousClock.now - start) / .microseconds(1)
    }
}
