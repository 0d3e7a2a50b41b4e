// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A lease is issued, its secret opens the database, and it is revoked.
func issueAndUse(_ credentials: Mount<InMemoryRequest, FakeCredential>, _ database: Database) async throws {
    heading("Issue, use, revoke")

    let lease = try await credentials.issue("app")
    say("got \(lease)")
    say("the credential \(database.login(lease.secret))")

    let report = try await credentials.revoke(lease.id)
    say("\(report)")
    say("the credential \(database.login(lease.secret))")

    // The same in one go: `withLease` revokes on the way out, also when its body throws or is cancelled.
    let result = try await credentials.withLease("report") { lease in
        "the report was written as \(lease.secret.username.prefix(10))…"
    }
    say(result)
}
