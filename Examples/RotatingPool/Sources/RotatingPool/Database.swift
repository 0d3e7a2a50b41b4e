// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// What a pool needs of a driver: with a real database, these three calls are all there is to write.
protocol Database: Sendable {
    /// Logs in. Throws ``Trouble/rejected`` when the credential is not taken.
    func connect(_ credential: FakeCredential) async throws -> Connection
    /// Runs a statement that takes that long.
    func query(_ connection: Connection, taking length: Duration) async throws
}

/// A connection: opened with a credential, and good for as long as its user may be there.
struct Connection: Sendable {
    let credential: FakeCredential
}

enum Trouble: Error {
    case rejected
    /// The user was dropped, and its session ended with it.
    case sessionEnded
}

/// A database in memory that drops sessions with their users, as PostgreSQL does when they are terminated.
struct InMemoryDatabase: Database {
    let target: InMemoryTarget
    let time: VirtualTime

    func connect(_ credential: FakeCredential) async throws -> Connection {
        // The network, and the handshake.
        try await time.sleep(for: .milliseconds(120))
        guard target.check(credential) else { throw Trouble.rejected }
        return Connection(credential: credential)
    }

    func query(_ connection: Connection, taking length: Duration) async throws {
        guard target.check(connection.credential) else { throw Trouble.sessionEnded }
        try await time.sleep(for: length)
        guard target.check(connection.credential) else { throw Trouble.sessionEnded }
    }
}
