// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// How often the server is spoken to, which is what a user's life costs over a network.
@Suite struct RoundTripTests {
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func eachStepOfAnOrdinaryLifeTakesOne(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin)
        let client = CountingClient(bench.client)
        let backend = try PostgresBackend(
            client: client,
            roles: ["app": PostgresRole(.memberOf(bench.group), iterations: 1)]
        )
        // The first user finds out what the server is, and what the admin may do.
        try await live(backend, bench, client)
        #expect(try await live(backend, bench, client) == [["transaction"], ["transaction"], ["transactions"]])
    }

    /// One whose holder is still in takes more: its session is to end before it does.
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func aSessionIsEndedBeforeItsUser(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin)
        let client = CountingClient(bench.client)
        let backend = try PostgresBackend(
            client: client,
            roles: ["app": PostgresRole(.memberOf(bench.group), iterations: 1)]
        )
        try await live(backend, bench, client)
        let call = bench.call()
        var handle = try backend.prepare("app", call)
        let issued = try await backend.issue("app", as: &handle, call)
        let holder = bench.holder(issued.secret)
        try await holder.withSession(database: nil, timeout: .seconds(30)) { [handle] session in
            _ = try await session.run(["SELECT 1"])
            client.forget()
            #expect(try await backend.revoke(handle, call) == .revoked)
            await #expect(throws: PostgresError.self) { try await session.run(["SELECT 1"]) }
        }
        #expect(client.calls == ["transactions", "attempt", "transaction"])
        #expect(try await !bench.exists(handle.name))
        await holder.close()
    }

    /// What was said for the issue, the renewal and the revocation of one user.
    @discardableResult
    private func live(
        _ backend: PostgresBackend,
        _ bench: BackendBench,
        _ client: CountingClient
    ) async throws -> [[String]] {
        let call = bench.call()
        var handle = try backend.prepare("app", call)
        client.forget()
        _ = try await backend.issue("app", as: &handle, call)
        let issuing = client.forget()
        _ = try await backend.renew(&handle, call)
        let renewing = client.forget()
        #expect(try await backend.revoke(handle, call) == .revoked)
        return [issuing, renewing, client.forget()]
    }
}

/// Notes each call that a backend makes; one is one round trip, but for `run` with more than one statement.
private final class CountingClient: PostgresClient {
    private let base: LibPQClient
    private let noted = Locked<[String]>([])

    init(_ base: LibPQClient) { self.base = base }

    var calls: [String] { noted.withLock { $0 } }

    @discardableResult
    func forget() -> [String] {
        noted.withLock { noted in
            defer { noted = [] }
            return noted
        }
    }

    func withSession<R: Sendable>(
        database: String?,
        timeout: Duration,
        _ body: @Sendable (any PostgresSession) async throws -> R
    ) async throws -> R {
        try await base.withSession(database: database, timeout: timeout) { session in
            try await body(Session(base: session, noted: self.noted))
        }
    }

    private struct Session: PostgresSession {
        let base: any PostgresSession
        let noted: Locked<[String]>

        private func note(_ call: String) { noted.withLock { $0.append(call) } }

        func run(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult] {
            note("run")
            return try await base.run(statements)
        }

        func attempt(_ statements: [PostgresStatement]) async -> [Result<PostgresResult, PostgresError>] {
            note("attempt")
            return await base.attempt(statements)
        }

        func transaction(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult] {
            note("transaction")
            return try await base.transaction(statements)
        }

        func transactions(_ groups: [[PostgresStatement]]) async -> [Result<[PostgresResult], PostgresError>] {
            note("transactions")
            return await base.transactions(groups)
        }
    }
}
