// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What the database knows of itself: whose it is, which start this is, and the counters that never go back.
struct Life {
    var deployment: String
    var incarnation: UInt32
    var epoch: UInt64
    /// Counts the commits: what the epoch file beside the database is compared with.
    var mark: Int64
    var sequence: UInt64
    var claim: UInt64
    var mount: UInt32
    var orders: Int64
    var completed: Int64
    var isBackup: Bool
    /// Why the database is believed to be an old copy, noted until a new epoch begins.
    var doubt: String?
    var observed: ObservedTime?

    /// Reads it; nil when it is not there, or says what no table can have come to.
    static func read(_ statement: borrowing Statement) throws -> Life? {
        guard try statement.next("read the life of the table") else { return nil }
        defer { statement.reset() }
        let counters = [3, 4, 5, 7, 8].map { statement.integer($0) }
        guard counters.allSatisfy({ (0...Statement.largestCount).contains($0) }),
            [1, 6].allSatisfy({ (0...Int64(UInt32.max) / 2).contains(statement.integer($0)) })
        else { return nil }
        let observed = statement.optionalInteger(11).map { time in
            ObservedTime(
                time: LeaseInstant(nanosecondsSinceEpoch: time),
                bootID: statement.text(12),
                continuous: .nanoseconds(statement.integer(13))
            )
        }
        return Life(
            deployment: statement.text(0),
            incarnation: UInt32(truncatingIfNeeded: statement.integer(1)),
            epoch: UInt64(bitPattern: statement.integer(2)),
            mark: statement.integer(3),
            sequence: UInt64(bitPattern: statement.integer(4)),
            claim: UInt64(bitPattern: statement.integer(5)),
            mount: UInt32(truncatingIfNeeded: statement.integer(6)),
            orders: statement.integer(7),
            completed: statement.integer(8),
            isBackup: statement.flag(9),
            doubt: statement.optionalText(10),
            observed: observed
        )
    }

    func write(_ statement: borrowing Statement) throws {
        statement.bind(1, incarnation)
        statement.bind(2, epoch)
        statement.bind(3, mark)
        statement.bind(4, sequence)
        statement.bind(5, claim)
        statement.bind(6, mount)
        statement.bind(7, orders)
        statement.bind(8, completed)
        statement.bind(9, isBackup)
        statement.bind(10, optional: doubt)
        statement.bind(11, optional: observed?.time.nanosecondsSinceEpoch)
        statement.bind(12, optional: observed?.bootID)
        statement.bind(13, optional: observed?.continuous.saturatingNanoseconds)
        try statement.run("write the life of the table")
    }
}
