// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What an answer says.
struct AWSReply: Sendable {
    /// The `…Result`, or the whole answer where an action has none.
    let result: XMLNode
    /// The service's time when it answered, where it said so.
    let date: LeaseInstant?

    /// Reads an answer, or what it says went wrong.
    static func read(_ response: AWSHTTPResponse, to action: String, of service: String) -> Result<AWSReply, AWSError> {
        let date = response.header("date").flatMap { LeaseInstant(httpDate: $0) }
        let document = XMLNode(document: response.body)
        if (200..<300).contains(response.status) {
            // A proxy's page says 200, too.
            guard let document, document.name == "\(action)Response" else {
                return .failure(unreadable(response, "\(service):\(action)"))
            }
            return .success(AWSReply(result: document["\(action)Result"] ?? document, date: date))
        }
        return .failure(failure(response, document, "\(service):\(action)"))
    }

    private static func failure(_ response: AWSHTTPResponse, _ document: XMLNode?, _ action: String) -> AWSError {
        // Codes are kept with leases: what is as long as a page is none.
        guard let error = document?.first("Error"), let text = error.text("Code"), text.utf8.count <= 128 else {
            return unreadable(response, action)
        }
        let code = AWSError.Code(text)
        let message = code.hasUnsafeMessage ? "the signature was refused" : error.text("Message") ?? "no reason given"
        return AWSError(
            code,
            String(message.prefix(400).map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } ?? false ? " " : $0 }),
            action: action,
            status: response.status,
            requestID: document?.first("RequestId")?.text ?? response.header("x-amzn-requestid"),
            mayHaveBeenDone: response.status >= 500 && !code.isThrottling,
            retryAfter: retryAfter(response)
        )
    }

    /// An answer without AWS's own words in it: of its text nothing is kept.
    private static func unreadable(_ response: AWSHTTPResponse, _ action: String) -> AWSError {
        let kind = response.header("content-type").map { " (\($0.prefix(60)))" } ?? ""
        let isBusy = response.status == 429 || response.status == 503
        return AWSError(
            isBusy ? "Throttling" : .unreadableAnswer,
            "status \(response.status) with \(response.body.count) bytes that are no answer of AWS\(kind)",
            action: action,
            status: response.status,
            requestID: response.header("x-amzn-requestid"),
            mayHaveBeenDone: !isBusy && !(300..<500).contains(response.status),
            retryAfter: retryAfter(response)
        )
    }

    private static func retryAfter(_ response: AWSHTTPResponse) -> Duration? {
        guard let seconds = response.header("retry-after").flatMap({ Int64($0) }), (1...3_600).contains(seconds) else {
            return nil
        }
        return .seconds(seconds)
    }
}
