// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A lease becomes as old as it may.
///
/// It cannot be renewed any more, and ends on time without anybody asking.
func hitTheMaximum(
    _ credentials: Mount<InMemoryRequest, FakeCredential>,
    _ database: Database,
    _ time: VirtualTime
) async throws {
    heading("The maximum")

    let lease = try await credentials.issue("app")
    try await time.sleep(for: .seconds(3000))
    let last = try await credentials.renew(lease.id, RenewOptions(increment: .seconds(7200)))
    say("granted \(LeaseDuration.text(of: last.granted)); at its maximum: \(last.isAtMaximum)")

    // The role's maximum is lowered while the lease runs: nothing is cut short, but the next renewal is refused.
    database.backend.setRole("app", InMemoryRole(limits: TTLLimits(ttl: .seconds(1800), maximum: .seconds(2400))))
    do {
        _ = try await credentials.renew(lease.id)
    } catch {
        say("refused: \(error)")
    }
    say("the credential \(database.login(lease.secret))")

    try await time.sleep(for: .seconds(4201))
    say("70 minutes later")
    say("the credential \(database.login(lease.secret))")
}
