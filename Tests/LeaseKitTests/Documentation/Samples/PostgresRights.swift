// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Samples about the rights that PostgreSQL's admin needs.
@Suite struct PostgresRightsSamples {
    @Test func withoutAServerThereIsNoAnswer() async throws {
        let configuration = PostgresConfiguration(
            hosts: [PostgresConfiguration.Host("/nowhere/at/all")],
            tls: .disabled
        ) { PostgresConfiguration.Login(user: "leasekit", password: nil) }
        let backend = try PostgresBackend(client: LibPQClient(configuration), roles: [:])
        let failure = await #expect(throws: BackendFailure.self) {
            // sample: postgres-preflight
            let report = try await backend.preflight()
            print(report)
            try report.requireReady()
            // end sample
        }
        #expect(failure?.scope == .target)
    }
}
