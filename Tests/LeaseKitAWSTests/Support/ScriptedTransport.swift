// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitAWS

/// A transport that answers from a script, and remembers what it was asked.
final class ScriptedTransport: AWSTransport {
    typealias Handler = @Sendable (AWSHTTPRequest, Int) async throws(AWSTransportError) -> AWSHTTPResponse

    private let handler: Handler
    private let seen = Locked<[AWSHTTPRequest]>([])

    /// `handler` gets the request and how many came before it.
    init(_ handler: @escaping Handler) { self.handler = handler }

    var requests: [AWSHTTPRequest] { seen.withLock { $0 } }

    func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
        let number = seen.withLock { seen in
            seen.append(request)
            return seen.count - 1
        }
        return try await handler(request, number)
    }
}

extension AWSHTTPRequest {
    /// The fields of a form.
    var form: [String: String] {
        var fields: [String: String] = [:]
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = FormText.decoded(parts[0]), let value = FormText.decoded(parts[1]) else {
                continue
            }
            fields[name] = value
        }
        return fields
    }

    var action: String { form["Action"] ?? "" }
}

enum FormText {
    static func decoded(_ text: Substring) -> String? { String(text).removingPercentEncoding }
}

extension AWSHTTPResponse {
    static func xml(
        _ status: Int = 200,
        _ text: String,
        date: LeaseInstant? = nil,
        contentType: String = "text/xml"
    ) -> AWSHTTPResponse {
        var response = AWSHTTPResponse(status: status, headers: [("Content-Type", contentType)], body: Array(text.utf8))
        if let date { response.headers.append(("Date", date.httpDate)) }
        return response
    }

    static func failure(
        _ status: Int,
        _ code: String,
        _ message: String = "it is so",
        date: LeaseInstant? = nil
    ) -> AWSHTTPResponse {
        let type = status >= 500 ? "Receiver" : "Sender"
        return xml(
            status,
            "<ErrorResponse><Error><Type>\(type)</Type><Code>\(code)</Code><Message>\(message)</Message></Error>"
                + "<RequestId>r-1</RequestId></ErrorResponse>",
            date: date
        )
    }

    /// The answer to GetCallerIdentity.
    static func identity(_ arn: String = "arn:aws:iam::123456789012:user/broker", date: LeaseInstant? = nil)
        -> AWSHTTPResponse
    {
        xml(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
                + "<Arn>\(arn)</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
                + "<ResponseMetadata><RequestId>r-2</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            date: date
        )
    }

    private static func xml(_ text: String, date: LeaseInstant?) -> AWSHTTPResponse { xml(200, text, date: date) }
}
