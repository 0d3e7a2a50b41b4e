// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A connection, lent for a while.
///
/// Statements run in the order of the calls. The time left of the session bounds each call; one that runs out of it is
/// cancelled at the server, and so is one whose task is cancelled.
public protocol PostgresSession: Sendable {
    /// Runs statements one after another, each in a transaction of its own, and stops at the first that fails.
    ///
    /// Inside a transaction that an earlier call began with `BEGIN`, they belong to that one. Each statement is a round trip;
    /// ``attempt(_:)`` and ``transaction(_:)`` need one for all.
    func run(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult]

    /// Runs statements in one round trip, each in a transaction of its own, and goes on after one that fails.
    ///
    /// Answers one outcome for each statement, in their order. When the connection is lost, those without an answer are
    /// ambiguous.
    func attempt(_ statements: [PostgresStatement]) async -> [Result<PostgresResult, PostgresError>]

    /// Runs statements in one transaction and one round trip: all of them, or none.
    ///
    /// Each statement sees what was committed before it began (`READ COMMITTED`), whatever the server's default is: one that comes
    /// after a lock sees what the lock was waited for.
    ///
    /// The connection being lost after `COMMIT` was sent is ambiguous, see ``PostgresError/Kind/ambiguous``: it may have
    /// been carried out.
    func transaction(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult]

    /// Runs transactions one after another, each all or nothing, up to the first that fails.
    ///
    /// Answers one outcome for each; one that was not begun has that of the first that failed. A client that can sends all
    /// of them in one round trip. The statements are counted through, see ``PostgresError/statement``.
    func transactions(_ groups: [[PostgresStatement]]) async -> [Result<[PostgresResult], PostgresError>]
}

extension PostgresSession {
    /// By default one round trip for each.
    public func transactions(_ groups: [[PostgresStatement]]) async -> [Result<[PostgresResult], PostgresError>] {
        var outcomes: [Result<[PostgresResult], PostgresError>] = []
        for group in groups {
            do throws(PostgresError) {
                outcomes.append(.success(try await transaction(group)))
            } catch {
                return outcomes + groups.dropFirst(outcomes.count).map { _ in .failure(error) }
            }
        }
        return outcomes
    }
}
