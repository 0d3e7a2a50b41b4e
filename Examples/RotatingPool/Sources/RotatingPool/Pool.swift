// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// What the workers need of a pool.
protocol Pool: Sendable {
    /// Lends a connection.
    func withConnection<Answer: Sendable>(_ body: @Sendable (any Lent) async throws -> Answer) async throws -> Answer
    /// What goes on beside the work; returns when it is cancelled, or there is nothing more to do.
    func run() async throws
    /// Closes what lies idle, when the work is over.
    func close() async
}

/// A connection that is lent, and what is known of the credential that it was opened with.
protocol Lent: Sendable {
    var connection: Connection { get }
    var lease: LeaseID { get }
    /// Where its generation stands, and how long it is good yet; nil in a pool that does not know.
    var standing: CredentialUse.Standing? { get }
    var timeLeft: Duration? { get }
}

/// A pool whose credential rotates: every connection keeps a hold on the generation that it was opened with.
actor RotatingPool: Pool {
    /// A connection in the pool, and its hold, which ends with it.
    private final class Pooled: Lent {
        let connection: Connection
        let lease: LeaseID
        let use: CredentialUse

        init(_ connection: Connection, _ lease: LeaseID, _ use: consuming CredentialUse) {
            self.connection = connection
            self.lease = lease
            self.use = use
        }

        var standing: CredentialUse.Standing? { use.standing }
        var timeLeft: Duration? { use.timeLeft }
    }

    private let credential: RotatingCredential<PostgresCredential>
    /// How long a connection is in use at the longest: none is lent by a credential that ends before.
    private let longestUse: Duration
    private let connect: @Sendable (PostgresCredential) async throws -> Connection
    private var idle: [Pooled] = []

    init(
        _ credential: RotatingCredential<PostgresCredential>,
        longestUse: Duration,
        _ connect: @escaping @Sendable (PostgresCredential) async throws -> Connection
    ) {
        self.credential = credential
        self.longestUse = longestUse
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
        _ body: @Sendable (any Lent) async throws -> Answer
    ) async throws -> Answer {
        let pooled = try await take()
        do {
            let answer = try await body(pooled)
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
            // Replacements can be late, when the server is away: what is current may be about to end.
            if pooled.use.standing == .current, pooled.use.timeLeft >= longestUse { return pooled }
            await pooled.connection.close()
        }
        while true {
            let secret = try await credential.get(validFor: longestUse)
            // Taken in hand before the connection is opened: it cannot be revoked in between. Nil when another took over meanwhile.
            guard let use = try? credential.checkout(secret.generation) else { continue }
            do {
                let connection = try await connect(secret.secret)
                if use.timeLeft >= longestUse { return Pooled(connection, secret.lease, use) }
                await connection.close()  // opening it took too long
            } catch {
                guard error.isRefusedLogin else { throw error }
                // It took so long that the user was over: nothing is wrong with the credential, and the next one is there.
                if use.timeLeft < longestUse { continue }
                credential.rejected(secret.generation)
                throw error
            }
        }
    }

    private func putBack(_ pooled: Pooled) async {
        if pooled.use.standing == .current { idle.append(pooled) } else { await pooled.connection.close() }
    }
}
