// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension AWSError {
    /// A code: AWS has hundreds and adds more, so that any text can be one.
    public struct Code: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        /// The code as the service writes it.
        public let text: String

        /// Makes a code.
        public init(_ text: String) { self.text = text }
        /// Makes a code.
        public init(stringLiteral value: String) { text = value }
        /// The code.
        public var description: String { text }

        /// Nothing was sent: no connection came about.
        public static let unreachable: Code = "unreachable"
        /// No answer came, or it broke off.
        public static let noAnswer: Code = "noAnswer"
        /// An answer came that is none of AWS: a proxy's page, a piece of XML.
        public static let unreadableAnswer: Code = "unreadableAnswer"
        /// The call's time was over.
        public static let outOfTime: Code = "outOfTime"
        /// The cryptographic library failed.
        public static let signingFailed: Code = "signingFailed"
        /// No source of credentials has any.
        public static let noCredentials: Code = "noCredentials"
        /// A source of credentials is there, and broken.
        public static let badCredentials: Code = "badCredentials"
        /// A role, a limit or a request breaks a rule of AWS.
        public static let outOfBounds: Code = "outOfBounds"

        /// What the call is about does not exist, or is not visible yet.
        public static let noSuchEntity: Code = "NoSuchEntity"
        /// It exists already.
        public static let entityAlreadyExists: Code = "EntityAlreadyExists"
        /// Something still hangs on what is to be deleted.
        public static let deleteConflict: Code = "DeleteConflict"
        /// A quota of the account is reached.
        public static let limitExceeded: Code = "LimitExceeded"
        /// The own credentials may not do this.
        public static let accessDenied: Code = "AccessDenied"
    }
}

extension AWSError.Code {
    private static let throttling: Set<String> = [
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "PriorRequestNotComplete",
        "BandwidthLimitExceeded",
    ]
    private static let transient: Set<String> = [
        "unreachable", "noAnswer", "unreadableAnswer", "outOfTime", "ConcurrentModification",
        "EntityTemporarilyUnmodifiable", "IDPCommunicationError", "ServiceFailure", "ServiceUnavailable",
        "InternalFailure", "InternalError", "RequestTimeout", "RequestTimeoutException",
    ]
    private static let skewed: Set<String> = [
        "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "SignatureDoesNotMatch",
        "InvalidSignatureException", "AuthFailure",
    ]
    private static let outdated: Set<String> = ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]
    private static let unknown: Set<String> = [
        "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
    ]
    private static let login: Set<String> = [
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
        "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "AuthFailure",
        "OptInRequired", "RegionDisabledException", "InvalidAccessKeyId", "noCredentials", "badCredentials",
    ]
    private static let repeatsTheRequest: Set<String> = [
        "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
    ]

    /// Nothing was done, and less is asked for.
    ///
    /// `LimitExceeded` of IAM is a quota and not among them, though its look-alike with *Exception* is elsewhere.
    var isThrottling: Bool { Self.throttling.contains(text) }
    /// It may work next time.
    var isTransient: Bool { Self.transient.contains(text) }
    /// May be about the clock.
    var isAboutTheClock: Bool { Self.skewed.contains(text) }
    /// The own credentials ran out.
    var isOutdated: Bool { Self.outdated.contains(text) }
    /// The own credentials are not accepted: about the target, not about a lease.
    var isAboutLogin: Bool { Self.login.contains(text) || isOutdated }
    /// The own key is not known, or not any more.
    var isUnknownKey: Bool { Self.unknown.contains(text) }
    /// Its message has the request in it, session token included.
    var hasUnsafeMessage: Bool { Self.repeatsTheRequest.contains(text) }
}
