// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Talks to PostgreSQL through libpq: one thread for all its connections, which never blocks.
///
/// A connection is opened when it is first needed, and anew when it broke. With several hosts, the next is tried when one does
/// not answer or does not accept writes.
///
/// Nothing waits for ever. A statement that has used up its session's time is cancelled at the server; its connection is then
/// closed, so that a cancellation that comes late hits nothing else.
public final class LibPQClient: PostgresClient {
    private enum State: Sendable {
        case unused
        case running(Mailbox)
        case closed
    }

    private let configuration: PostgresConfiguration
    private let state = Locked(State.unused)
    private let clock = SystemTime()
    private let numbers = Locked<UInt64>(0)

    /// Makes a client; nothing happens before its first session.
    public init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    deinit {
        if case .running(let mailbox) = state.withLock({ $0 }) { mailbox.post(.abandon) }
    }

    /// Lends one connection to a database for as long as `body` runs.
    ///
    /// The connection is taken at the first statement. A session that changes settings by `SET` does not leave them to the
    /// next: its connection is closed behind it. What a function changes, such as `set_config`, it has to undo.
    public func withSession<R: Sendable>(
        database: String?,
        timeout: Duration,
        _ body: @Sendable (any PostgresSession) async throws -> R
    ) async throws -> R {
        try Task.checkCancellation()
        let session = LentSession(
            id: next(),
            database: database,
            deadline: clock.read().continuous + timeout,
            mailbox: try mailbox(),
            numbers: numbers
        )
        defer { session.end() }
        return try await body(session)
    }

    /// Closes all connections, and returns when the last session is over.
    ///
    /// From now on no session begins; those that are on go on.
    public func close() async {
        let previous = state.withLock { state in
            defer { state = .closed }
            return state
        }
        guard case .running(let mailbox) = previous else { return }
        await withCheckedContinuation { continuation in
            if !mailbox.post(.close { continuation.resume() }) { continuation.resume() }
        }
    }

    private func next() -> UInt64 {
        numbers.withLock { number in
            number += 1
            return number
        }
    }

    private func mailbox() throws(PostgresError) -> Mailbox {
        try state.withLock { state throws(PostgresError) in
            switch state {
            case .running(let mailbox): return mailbox
            case .closed: throw .closed
            case .unused:
                if let trouble = configuration.trouble {
                    throw PostgresError(.denied, scope: .target, code: "misconfigured", "the configuration: \(trouble)")
                }
                guard let mailbox = ConnectionLoop.start(configuration) else {
                    throw .exhausted("thread or descriptor")
                }
                state = .running(mailbox)
                return mailbox
            }
        }
    }
}

extension LibPQClient: CustomStringConvertible, CustomReflectable {
    /// The hosts and the database.
    public var description: String { "LibPQClient for \(configuration)" }
    /// The hosts and the database.
    public var customMirror: Mirror { Mirror(self, children: ["configuration": configuration]) }
}
