// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitPostgres

extension PostgresClient {
    /// Runs statements, each for itself.
    @discardableResult
    func run(_ statements: PostgresStatement..., timeout: Duration = .seconds(20)) async throws -> [PostgresResult] {
        try await withSession(database: nil, timeout: timeout) { try await $0.run(statements) }
    }
}
