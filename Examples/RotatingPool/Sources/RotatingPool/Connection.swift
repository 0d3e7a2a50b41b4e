// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// One connection, on libpq: what another driver would take the place of.
final class Connection: Sendable {
    private let client: LibPQClient

    /// Connects and logs in.
    init(_ configuration: PostgresConfiguration) async throws {
        var configuration = configuration
        configuration.maxConnections = 1
        client = LibPQClient(configuration)
        do { _ = try await ask("SELECT 1") } catch {
            await client.close()
            throw error
        }
    }

    /// Asks for one value.
    @discardableResult
    func ask(_ statement: PostgresStatement) async throws -> String? {
        try await client.withSession(database: nil, timeout: .seconds(30)) { session in
            try await session.run([statement])[0].first
        }
    }

    func close() async { await client.close() }
}

extension Error {
    /// Whether the server did not take the user and password.
    var isRefusedLogin: Bool {
        guard let state = (self as? PostgresError)?.sqlState else { return false }
        return state == .invalidPassword || state == .invalidAuthorization
    }
}
