// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// What the workers need of a pool.
protocol Pool: Sendable {
    /// Lends a connection, and says by which lease it was opened.
    func withConnection<Answer: Sendable>(
        _ body: @Sendable (Connection, LeaseID) async throws -> Answer
    ) async throws -> Answer
    /// What goes on beside the work; returns when it is cancelled, or there is nothing more to do.
    func run() async throws
    /// Closes what lies idle, when the work is over.
    func close() async
}

/// A pool whose credential rotates: every connection keeps a hold on the generation that it was opened with.
actor RotatingPool: Pool {
    /// A connection in the pool, and its hold, which ends with it.
    private final class Pooled: Sendable {
        let connection: Connection
        let lease: LeaseID
        let use: CredentialUse

        init(_ connection: Connection, _ lease: LeaseID, _ use: consuming CredentialUse) {
            self.connection = connection
            self.lease = lease
            self.use = use
        }
    }

    private let credential: RotatingCredential<PostgresCredential>
    private let connect: @Sendable (PostgresCredential) async throws -> Connection
    private var idle: [Pooled] = []

    init(
        _ credential: RotatingCredential<PostgresCredential>,
        _ connect: @escaping @Sendable (PostgresCredential) async throws -> Connection
    ) {
        self.credential = credential
        self.connect = connect
    }

    /// Closes idle connections when their generation is over, so that it need not wait for them.
    func run() async {
        for await _ in credential.updates() {
            let old = idle.filter { $0.use.standing != .current }
            idle.removeAll { $0.use.standing != .current }
            for pooled in old { await pooled.connection.close() }
        }
    }

    func withConnection<Answer: Sendable>(
        _ body: @Sendable (Connection, LeaseID) async throws -> Answer
    ) async throws -> Answer {
        let pooled = try await take()
        do {
            let answer = try await body(pooled.connection, pooled.lease)
            await putBack(pooled)
            return answer
        } catch {
            await pooled.connection.close()
            throw error
        }
    }

    func close() async {
        let all = idle
        idle = []
        for pooled in all { await pooled.connection.close() }
    }

    private func take() async throws -> Pooled {
        while let pooled = idle.popLast() {
            if pooled.use.standing == .current { return pooled }
            await pooled.connection.close()
        }
        while true {
            let secret = try await credential.get()
            do {
                // Taken in hand before the connection is opened: it cannot be revoked in between.
                let use = try credential.checkout(secret.generation)
                return Pooled(try await connect(secret.secret), secret.lease, use)
            } catch let error as LeaseError where error.code == .leaseNotActive {
                continue  // another generation took over between the two lines
            } catch {
                if error.isRefusedLogin { credential.rejected(secret.generation) }
                throw error
            }
        }
    }

    private func putBack(_ pooled: Pooled) async {
        if pooled.use.standing == .current { idle.append(pooled) } else { await pooled.connection.close() }
    }
}
