// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// One order ends everything under a path, and reports what became of it.
func revokeByPrefix(_ credentials: Mount<InMemoryRequest, FakeCredential>, _ manager: LeaseManager) async throws {
    heading("Revoking by prefix")

    for _ in 1...3 { _ = try await credentials.issue("report") }
    let app = try await credentials.issue("app")

    // Whole segments: `database/creds/report` covers `database/creds/report/x`, never `database/creds/reporting`.
    let cause = LeaseCause(.requested, actor: "ops")
    let report = try await manager.revoke(.prefix("database/creds/report"), RevokeOptions(cause: cause))
    say("\(report)")
    say("covered \(report.covered), complete: \(report.isComplete)")

    // Leases elsewhere were left alone.
    say("the other lease is \(try await manager.lease(app.id)?.state == .active ? "active" : "gone")")
    try await credentials.revoke(app.id)
}
