// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a session of `URLSession` has under way: answers come in pieces, and each belongs to a task.
final class Exchanges: NSObject, URLSessionDataDelegate {
    typealias Answer = Result<AWSHTTPResponse, AWSTransportError>

    private struct Exchange: Sendable {
        let continuation: CheckedContinuation<Answer, Never>
        var body: [UInt8] = []
        var isTooLong = false
    }

    private let open = Locked<[Int: Exchange]>([:])
    private let longestBody: Int

    init(longestBody: Int) { self.longestBody = longestBody }

    func begin(_ task: URLSessionTask, _ continuation: CheckedContinuation<Answer, Never>) {
        let (id, exchange) = (task.taskIdentifier, Exchange(continuation: continuation))
        open.withLock { $0[id] = exchange }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let id = dataTask.taskIdentifier
        let isTooLong = open.withLock { open in
            guard let count = open[id]?.body.count else { return false }
            if count + data.count > longestBody {
                open[id]?.isTooLong = true
            } else {
                open[id]?.body += data
            }
            return open[id]?.isTooLong ?? false
        }
        if isTooLong { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let id = task.taskIdentifier
        guard let exchange = open.withLock({ $0.removeValue(forKey: id) }) else { return }
        exchange.continuation.resume(returning: Self.answer(to: exchange, task.response, error))
    }

    private static func answer(to exchange: Exchange, _ response: URLResponse?, _ error: (any Error)?) -> Answer {
        if exchange.isTooLong { return .failure(.noAnswer("the answer is longer than this client reads")) }
        if let error { return .failure(failure(error)) }
        guard let response = response as? HTTPURLResponse else {
            return .failure(.noAnswer("the answer is not one of HTTP"))
        }
        let headers = response.allHeaderFields.compactMap { field -> (name: String, value: String)? in
            guard let name = field.key as? String, let value = field.value as? String else { return nil }
            return (name, value)
        }
        return .success(AWSHTTPResponse(status: response.statusCode, headers: headers, body: exchange.body))
    }

    /// Says of an error whether the request can have gone out; in doubt it has.
    private static func failure(_ error: any Error) -> AWSTransportError {
        guard let error = error as? URLError else { return .noAnswer("the connection broke: \(type(of: error))") }
        switch error.code {
        case .cannotFindHost, .dnsLookupFailed: return .notSent("the host's name is not known")
        case .cannotConnectToHost: return .notSent("the host takes no connection")
        case .notConnectedToInternet: return .notSent("there is no network")
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateNotYetValid, .serverCertificateHasUnknownRoot:
            return .notSent("the host could not prove who it is (TLS, \(error.code.rawValue))")
        case .timedOut: return .noAnswer("no answer in time")
        case .cancelled: return .noAnswer("the exchange was cancelled")
        default: return .noAnswer("the connection broke (\(error.code.rawValue))")
        }
    }
}
