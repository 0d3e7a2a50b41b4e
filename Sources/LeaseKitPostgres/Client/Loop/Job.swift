// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What a call of a session asks of the thread that owns the connections.
struct Job: Sendable {
    typealias Outcome = [Result<PostgresResult, PostgresError>]

    /// How the statements belong together.
    enum Style: Sendable, Equatable {
        /// One after another; the first failure ends it.
        case run
        /// All in one round trip, each for itself.
        case attempt
        /// All in one transaction and one round trip; or in several, by the number of statements in each.
        case transactions([Int])

        var isTransactional: Bool { if case .transactions = self { true } else { false } }
    }

    let id: UInt64
    let session: UInt64
    /// Nil for the configured one.
    let database: String?
    let style: Style
    let statements: [PostgresStatement]
    /// By the continuous clock.
    let deadline: Duration
    /// Set when the task that waits is cancelled.
    let isCancelled: Locked<Bool>
    /// Called once.
    let reply: @Sendable (Outcome) -> Void
}
