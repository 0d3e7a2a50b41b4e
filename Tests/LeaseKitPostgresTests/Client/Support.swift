// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

extension PostgresClient {
    /// Runs statements, each for itself.
    @discardableResult
    func run(_ statements: PostgresStatement..., timeout: Duration = .seconds(120)) async throws -> [PostgresResult] {
        try await withSession(database: nil, timeout: timeout) { try await $0.run(statements) }
    }

    /// The error of statements that fail.
    func failure(
        of statements: PostgresStatement...,
        timeout: Duration = .seconds(120),
        at location: SourceLocation = #_sourceLocation
    ) async throws -> PostgresError {
        let error = await #expect(throws: PostgresError.self, sourceLocation: location) {
            try await withSession(database: nil, timeout: timeout) { try await $0.run(statements) }
        }
        return try #require(error, sourceLocation: location)
    }
}

/// A door that opens once, for tests that wait for one another.
final class Door: Sendable {
    private enum State {
        case closed([CheckedContinuation<Void, Never>])
        case open
    }

    private let state = Locked(State.closed([]))

    func open() {
        let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
            defer { state = .open }
            if case .closed(let waiters) = state { return waiters }
            return []
        }
        for waiter in waiters { waiter.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard case .closed(let waiters) = state else { return true }
                state = .closed(waiters + [continuation])
                return false
            }
            if isOpen { continuation.resume() }
        }
    }
}
