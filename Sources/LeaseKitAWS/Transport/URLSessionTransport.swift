// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The transport of the toolchain: `URLSession`.
///
/// Connections are kept open and used again. Redirects are not followed: a signed request is for one host. Cookies, caches and
/// stored passwords are off.
public final class URLSessionTransport: AWSTransport {
    private let exchanges: Exchanges
    private let session: URLSession

    /// Makes a transport.
    ///
    /// - Parameters:
    ///   - connectionsPerHost: How many connections it opens to one host at most.
    ///   - longestBody: The most bytes of an answer that it reads; AWS stays far below.
    public init(connectionsPerHost: Int = 16, longestBody: Int = 8 << 20) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = max(1, connectionsPerHost)
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        exchanges = Exchanges(longestBody: longestBody)
        session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
    }

    // The session holds its delegate until it is told to go.
    deinit { session.finishTasksAndInvalidate() }

    /// Sends a request.
    public func send(
        _ request: AWSHTTPRequest,
        timeout: Duration
    ) async throws(AWSTransportError) -> AWSHTTPResponse {
        guard let url = URL(string: request.address) else {
            throw .notSent("\(request.host) with its path is no address: correct the endpoint")
        }
        // A backstop in whole seconds: Foundation's timeouts on Linux do not always fire, and take fractions for none.
        let seconds = (timeout / .seconds(1)).rounded(.up) + 5
        var outgoing = URLRequest(url: url, timeoutInterval: seconds)
        outgoing.httpMethod = request.method
        outgoing.httpShouldHandleCookies = false
        for header in request.headers { outgoing.addValue(header.value, forHTTPHeaderField: header.name) }
        if !request.body.isEmpty { outgoing.httpBody = Data(request.body) }
        let task = session.dataTask(with: outgoing)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if exchanges.begin(task, continuation) { task.resume() }
            }
        } onCancel: {
            // Foundation on Linux does not always report the end of a task that was cancelled: nobody waits for that.
            exchanges.giveUp(task)
            task.cancel()
        }
        return try result.get()
    }
}
