// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// The database goes down while leases are to be revoked.
///
/// Nothing is forgotten, and all go on when it is back.
func sitOutAnOutage(
    _ credentials: Mount<InMemoryRequest, FakeCredential>,
    _ database: Database,
    _ manager: LeaseManager,
    _ time: VirtualTime
) async throws {
    heading("A target that is down and comes back")

    for _ in 1...3 { _ = try await credentials.issue("report") }
    database.target.partition(.refusing)

    // The order is durable at once. Its report is waited for, but not for ever.
    let options = RevokeOptions(wait: .seconds(5))
    let report = try await manager.revoke(.prefix("database/creds/report"), options)
    say("\(report)")

    do {
        _ = try await credentials.issue("app")
    } catch let error as LeaseError {
        say("an issue meanwhile: \(error)")
        say("worth another try later: \(error.isRetryable)")
    }

    try await time.sleep(for: .seconds(600))
    say("ten minutes later the database is back")
    database.target.heal()

    let final = try await manager.waitForReport(of: report.order)
    say("\(final)")
}
