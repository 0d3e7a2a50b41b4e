// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The seam for another client: lends connections to one server, or to one group of servers that fail over to one another.
///
/// ``LibPQClient`` is ours. Whoever has a client already, such as PostgresNIO's, can put it here with two small types.
public protocol PostgresClient: Sendable {
    /// Lends one connection to a database for as long as `body` runs.
    ///
    /// The connection comes from a pool, and goes back to it. One that broke, or that `body` left inside a transaction, is
    /// closed instead.
    ///
    /// - Parameters:
    ///   - database: Its name; nil for the one that the client is configured with.
    ///   - timeout: How long all of it may take: to wait for a connection, to connect, and every statement of `body`.
    ///   - body: What to do with the connection, which is its alone until it returns.
    /// - Throws: What `body` throws, ``PostgresError`` without a connection, `CancellationError` when the task was
    ///   cancelled while it waited for one.
    func withSession<R: Sendable>(
        database: String?,
        timeout: Duration,
        _ body: @Sendable (any PostgresSession) async throws -> R
    ) async throws -> R
}
