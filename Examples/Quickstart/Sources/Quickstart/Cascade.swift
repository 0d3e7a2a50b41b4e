// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A session holds no credential; others hang on it and end with it.
func cascade(
    _ sessions: Mount<String, Void>,
    _ credentials: Mount<InMemoryRequest, FakeCredential>,
    _ database: Database,
    _ manager: LeaseManager
) async throws {
    heading("A session and its children")

    let login = try await sessions.issue("anna", IssueOptions(ttl: .seconds(600)))
    let first = try await credentials.issue("app", IssueOptions(parent: login.id))
    let second = try await credentials.issue("report", IssueOptions(parent: login.id))

    // A parent binds: a child never ends later than its parent, whatever its role allows.
    say("the child runs for \(LeaseDuration.text(of: first.terms.ttl)), bound by the \(first.terms.boundBy)")
    say("children of the session: \(try await manager.counts(.children(login.id)).total)")

    let report = try await sessions.revoke(login.id)
    say("\(report)")
    say("the first credential \(database.login(first.secret)), the second one \(database.login(second.secret))")
}
