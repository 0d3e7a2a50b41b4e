// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Trouble that has no SQLSTATE, because it did not come from the server.
extension PostgresError {
    /// The way to the server ended; `isAmbiguous` when what was sent may have been carried out.
    static func connectionLost(isAmbiguous: Bool) -> PostgresError {
        PostgresError(
            isAmbiguous ? .ambiguous : .transient,
            scope: .target,
            code: "connectionLost",
            isAmbiguous ? "the connection was lost before the answer came" : "the connection was lost"
        )
    }

    /// No answer by the deadline, not even to being cancelled.
    static func noAnswer(isAmbiguous: Bool) -> PostgresError {
        PostgresError(
            isAmbiguous ? .ambiguous : .transient,
            scope: .target,
            code: "timeout",
            "the server did not answer in time"
        )
    }

    /// The deadline came before a connection did.
    static func noConnection(isConnecting: Bool) -> PostgresError {
        isConnecting
            ? PostgresError(.transient, scope: .target, code: "timeout", "the server could not be reached in time")
            : PostgresError(.transient, scope: .lease, code: "poolBusy", "all connections were in use for too long")
    }

    /// The session's time was over before this was sent.
    static let timeIsOver = PostgresError(.transient, scope: .lease, code: "timeout", "the session's time is over")

    /// Too many wait already.
    static let tooManyWaiting = PostgresError(
        .transient,
        scope: .lease,
        code: "poolBusy",
        "too many sessions wait for a connection"
    )

    /// Nobody waits for the answer any more, and nothing was sent.
    static let cancelled = PostgresError(.transient, scope: .lease, code: "cancelled", "the task was cancelled")

    /// The client was closed.
    static let closed = PostgresError(.transient, scope: .lease, code: "closed", "the client was closed")

    /// The session was given back, or an earlier call broke it.
    static let sessionOver = PostgresError(.transient, scope: .lease, code: "sessionOver", "the session is over")

    /// A call that cannot be right.
    static func misuse(_ sentence: String) -> PostgresError {
        PostgresError(.refused, scope: .lease, code: "misuse", sentence)
    }

    /// `COMMIT` and its like inside a transaction that is led for the caller.
    static let endsItself = misuse("a statement begins or ends a transaction, and is part of one")

    /// The machine has no thread, socket or memory to give.
    static func exhausted(_ what: String) -> PostgresError {
        PostgresError(.transient, scope: .lease, code: "exhausted", "the system has no \(what) to give")
    }
}
