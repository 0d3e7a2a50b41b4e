// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Carries one request to its host and one answer back: where another HTTP client plugs in.
///
/// LeaseKit does the rest: signing, retries, limits, reading. So an implementation sends once, follows no redirect and
/// keeps connections open for reuse.
public protocol AWSTransport: Sendable {
    /// Sends a request, and waits for the whole answer, for about `timeout`.
    ///
    /// Any status is an answer. LeaseKit keeps the time itself, too, and cancels the task when it is over: that has to end
    /// the exchange.
    ///
    /// - Throws: ``AWSTransportError``; it says whether the request can have reached the host.
    func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse
}

/// Why there was no answer.
public struct AWSTransportError: Error, Sendable, CustomStringConvertible {
    /// Whether the request can have reached the host, and been done.
    public let mayHaveArrived: Bool
    /// A sentence for people that holds no secret.
    public let message: String

    private init(mayHaveArrived: Bool, message: String) {
        self.mayHaveArrived = mayHaveArrived
        self.message = message
    }

    /// Nothing was sent: no connection came about.
    public static func notSent(_ message: String) -> AWSTransportError {
        AWSTransportError(mayHaveArrived: false, message: message)
    }

    /// It was sent, or may have been, and no answer came.
    public static func noAnswer(_ message: String) -> AWSTransportError {
        AWSTransportError(mayHaveArrived: true, message: message)
    }

    /// The sentence.
    public var description: String { message }
}
