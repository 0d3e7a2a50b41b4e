// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CRawPQ
import Foundation

/// The baseline: libpq with one thread and one connection for each caller, and as many round trips as LeaseKit takes.
final class RawPostgres: @unchecked Sendable {
    private let server: BenchServer

    init(_ server: BenchServer) { self.server = server }

    private func connect() -> OpaquePointer? {
        PQconnectdb(
            "host=127.0.0.1 port=\(server.port) user=postgres password=\(server.password) dbname=postgres sslmode=disable"
        )
    }

    /// Lets callers do their part of `count` operations at once; microseconds an operation.
    func time(_ count: Int, callers: Int, _ text: @escaping @Sendable (_ number: Int, _ verifier: String) -> [String])
        -> Double
    {
        let share = max(1, count / callers)
        let connections = (0..<callers).map { _ in connect() }
        let failures = NSLock()
        nonisolated(unsafe) var failed = 0
        let group = DispatchGroup()
        let start = ContinuousClock.now
        for (caller, connection) in connections.enumerated() {
            group.enter()
            nonisolated(unsafe) let connection = connection
            Thread.detachNewThread {
                for round in 0..<share {
                    for trip in text(caller * share + round, BenchServer.verifier) {
                        let result = PQexec(connection, trip)
                        let status = PQresultStatus(result)
                        if status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK { failures.withLock { failed += 1 } }
                        PQclear(result)
                    }
                }
                group.leave()
            }
        }
        group.wait()
        let elapsed = (ContinuousClock.now - start) / .microseconds(1)
        for connection in connections { PQfinish(connection) }
        if failed > 0 { complain("\(failed) operations of the baseline failed") }
        return elapsed / Double(share * callers)
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
