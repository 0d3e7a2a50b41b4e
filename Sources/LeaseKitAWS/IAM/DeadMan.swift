// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The policy that ends a user by AWS's own clock, should nobody be there to do it.
///
/// It denies everything after a time. A denial wins over whatever else the user may do, and the user cannot remove it: that
/// would be denied, too.
enum DeadMan {
    static let name = "leasekit-end"
    /// What a role's own policy is called.
    static let roleName = "leasekit-role"

    static func document(endsAt instant: LeaseInstant) -> String {
        // Rounded up, so that it is never earlier than what was promised.
        let whole = LeaseInstant(secondsSinceEpoch: (instant - .nanoseconds(1)).wholeSecondsSinceEpoch + 1)
        let condition = #"{"DateGreaterThan":{"aws:CurrentTime":"\#(whole)"}}"#
        let statement = #"{"Effect":"Deny","Action":"*","Resource":"*","Condition":\#(condition)}"#
        return #"{"Version":"2012-10-17","Statement":[\#(statement)]}"#
    }

    /// Its length, the same for every time with a year of four digits.
    static let length = document(endsAt: LeaseInstant(secondsSinceEpoch: 1_800_000_000)).utf8.count
}
