// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A pool whose credential rotates: every connection keeps a hold on the generation that it was opened with.
actor RotatingPool: Pool {
    /// A connection in the pool, and its hold.
    final class Pooled: Sendable {
        let connection: Connection
        let use: CredentialUse

        init(_ connection: Connection, _ use: consuming CredentialUse) {
            self.connection = connection
            self.use = use
        }
    }

    private let database: any Database
    private let credential: RotatingCredential<FakeCredential>
    private var idle: [Pooled] = []

    init(_ database: any Database, _ credential: RotatingCredential<FakeCredential>) {
        self.database = database
        self.credential = credential
    }

    /// Lets go of idle connections when a generation is over.
    func run() async {
        for await _ in credential.updates() { idle.removeAll { $0.use.standing != .current } }
    }

    func query(taking length: Duration) async throws {
        let pooled = try await take()
        try await database.query(pooled.connection, taking: length)
        if pooled.use.standing == .current { idle.append(pooled) }
    }

    private func take() async throws -> Pooled {
        while let pooled = idle.popLast() {
            if pooled.use.standing == .current { return pooled }
        }
        while true {
            let secret = try await credential.get()
            do {
                let use = try credential.checkout(secret.generation)
                return Pooled(try await database.connect(secret.secret), use)
            } catch let error as LeaseError where error.code == .leaseNotActive {
                continue
            } catch Trouble.rejected {
                credential.rejected(secret.generation)
                throw Trouble.rejected
            }
        }
    }
}

/// What the workers use.
protocol Pool: Sendable {
    func query(taking length: Duration) async throws
    /// What runs beside it.
    func run() async throws
}
