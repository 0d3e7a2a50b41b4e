// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a call to AWS throws: the code of the service, or one of this client's own.
///
/// The description is safe to log. It holds names and numbers of the account, never a key: the message that comes with a
/// refused signature is left out, since it repeats the request.
public struct AWSError: Error, Sendable {
    /// What went wrong.
    public let code: Code
    /// A sentence for people.
    public let message: String
    /// The service and the action, such as `iam:CreateUser`.
    public let action: String
    /// The status of the answer, where there was one.
    public let status: Int?
    /// AWS's own number for the request, for its support.
    public let requestID: String?
    /// Whether the action can have been done all the same.
    public let mayHaveBeenDone: Bool
    /// How long AWS asks to be left alone.
    public let retryAfter: Duration?

    init(
        _ code: Code,
        _ message: String,
        action: String = "",
        status: Int? = nil,
        requestID: String? = nil,
        mayHaveBeenDone: Bool = false,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.message = message
        self.action = action
        self.status = status
        self.requestID = requestID
        self.mayHaveBeenDone = mayHaveBeenDone
        self.retryAfter = retryAfter
    }

    /// Whether the same call may succeed later without anybody changing anything.
    public var isRetryable: Bool { code.isThrottling || code.isTransient || (status ?? 0) >= 500 || status == 429 }

    static let signingFailed = AWSError(.signingFailed, "the cryptographic library could not sign the request")

    /// What an error of the own credentials' source means to a call that needs them.
    ///
    /// The call itself was not sent. Whatever refused the login, it is about the target and not about what the call was for.
    var asLogin: AWSError {
        var (code, message) = (code, message)
        if code == .outOfTime {
            code = .unreachable
        } else if !isRetryable, !code.isAboutLogin {
            (code, message) = (.badCredentials, "the own credentials cannot be had (\(self.code): \(self.message))")
        }
        return AWSError(
            code,
            message,
            action: action,
            status: status,
            requestID: requestID,
            retryAfter: retryAfter
        )
    }

    /// The same error, now that an earlier try of the same call may have been done.
    func afterLostTry(_ isLost: Bool) -> AWSError {
        guard isLost, !mayHaveBeenDone else { return self }
        return AWSError(
            code,
            message,
            action: action,
            status: status,
            requestID: requestID,
            mayHaveBeenDone: true,
            retryAfter: retryAfter
        )
    }
}

extension AWSError: CustomStringConvertible {
    /// The action, the code, the sentence.
    public var description: String {
        let request = requestID.map { " (request \($0))" } ?? ""
        return "\(action.isEmpty ? "" : "\(action): ")\(code): \(message)\(request)"
    }
}
