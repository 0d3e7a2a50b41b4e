// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A lease of an hour is extended.
///
/// The answer says what was granted and why not more.
func renew(_ credentials: Mount<InMemoryRequest, FakeCredential>, _ time: VirtualTime) async throws {
    heading("Renew")

    let lease = try await credentials.issue("app")
    try await time.sleep(for: .seconds(1800))
    say("half an hour later")

    let byDefault = try await credentials.renew(lease.id)
    describe(byDefault)

    // An increment counts from now, not from the end of the lease. This one is longer than what is left to the maximum.
    let asked = try await credentials.renew(lease.id, RenewOptions(increment: .seconds(3 * 3600)))
    describe(asked)
    if asked.isTruncated { say("less than asked for: time to think of a replacement") }

    try await credentials.revoke(lease.id)
}

private func describe(_ outcome: RenewalOutcome) {
    let left = outcome.leftToMaximum.map(LeaseDuration.text) ?? "no limit"
    say(
        "granted \(LeaseDuration.text(of: outcome.granted)), bound by the \(outcome.boundBy), \(left) left to the maximum"
    )
}
