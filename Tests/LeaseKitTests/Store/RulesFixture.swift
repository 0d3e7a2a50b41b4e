// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Records and contexts for the tables of rules.
enum RulesFixture {
    static let now = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    static let claim = LeaseClaim(rawValue: 5)
    static let order = RevocationOrder(
        id: RevocationOrderID(rawValue: 3),
        selection: .prefix("db"),
        cause: LeaseCause(.requested),
        patience: .seconds(30),
        placedAt: now
    )
    static let failure = LeaseFailure(code: "test", message: "made up")

    static func context(_ seconds: Int64 = 0) -> StoreContext {
        StoreContext(
            now: now + .seconds(seconds),
            operation: 77,
            incarnation: Incarnation(rawValue: 2),
            cause: LeaseCause(.requested)
        )
    }

    static func insertion() -> LeaseInsertion {
        LeaseInsertion(
            id: LeaseID(high: 1, low: 1),
            mount: MountID(rawValue: 1),
            path: "db/app",
            handle: [1],
            issuedAt: now,
            expiresAt: now + .seconds(100),
            deadline: now + .seconds(10)
        )
    }

    /// A record in a state, as if it had come there.
    static func record(_ state: LeaseState, isClaimed: Bool = false, uses: UInt32? = nil) -> LeaseRecord {
        var insertion = insertion()
        insertion.fields.usesLeft = uses
        var record = insertion.record(sequence: 1, context())
        record.state = state
        if state != .pending && state != .settling { record.lastRenewedAt = nil }
        if state != .pending { record.due = record.expiresAt }
        if isClaimed { record.claim = claim }
        return record
    }
}
