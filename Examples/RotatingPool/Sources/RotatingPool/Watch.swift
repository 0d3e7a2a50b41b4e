// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Synchronization

/// Counts the users of ours at the server, again and again: the server's own word on how many there are.
final class Watch: Sendable {
    /// What was seen.
    struct Seen: Sendable {
        var looks = 0
        var most = 0
        var latest = 0
    }

    private let server: Server
    private let state = Mutex(Seen())

    init(_ server: Server) { self.server = server }

    var seen: Seen { state.withLock { $0 } }

    /// Looks every few milliseconds, until the task is cancelled.
    func run() async {
        var connection: Connection?
        while !Task.isCancelled {
            do {
                let open = if let connection { connection } else { try await connect() }
                connection = open
                _ = try await look(open)
                try await RealTime.sleep(.milliseconds(3))
            } catch {
                // The server is being restarted, or this is the end.
                await connection?.close()
                connection = nil
                try? await RealTime.sleep(.milliseconds(10))
            }
        }
        await connection?.close()
    }

    /// How many there are at this moment.
    func count() async throws -> Int {
        let connection = try await connect()
        let count = try await look(connection)
        await connection.close()
        return count
    }

    private func connect() async throws -> Connection { try await Connection(server.configuration(server.superuser)) }

    private func look(_ connection: Connection) async throws -> Int {
        let answer = try await connection.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lk\\_%'")
        let count = answer.flatMap(Int.init) ?? 0
        state.withLock { seen in
            seen.looks += 1
            seen.most = max(seen.most, count)
            seen.latest = count
        }
        return count
    }
}
