// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Which leases of a table are due, and when.
///
/// In a table where the leases have one TTL those are due together that were issued together; where they have many TTLs, what is
/// due lies all over the table. SQLite reads and writes whole pages, so that the second costs it more.
enum DueLeases {
    /// So many of the oldest are due first.
    static let together = 100_000
    /// Of the rest one in so many is due next, the others much later.
    static let apart = 10

    /// How long after its issue a lease is due.
    static func time(of number: Int) -> Duration {
        if number < together { return .seconds(3_600) }
        return number % apart == 0 ? .seconds(10_800) : .seconds(1_000_000)
    }

    /// When all of the first, and none of the second, are due.
    static let first = Duration.seconds(7_200)
    /// When the second are due as well.
    static let second = Duration.seconds(14_400)

    /// How many of a table are due at a time.
    static func count(in size: Int, after time: Duration) -> Int {
        let due = min(size, together)
        return time < second ? due : due + (size - due) / apart
    }
}
