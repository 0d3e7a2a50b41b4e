// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What LeaseKit throws: a code to decide by, a sentence that names the fix, and the cause underneath.
///
/// The description is safe to log: it holds paths, ids, numbers and our own words, never a secret and never a foreign
/// error's text. Two errors are equal when their codes are: a help for tests.
public struct LeaseError: Error, Sendable {
    /// What kind of trouble it is.
    public let code: Code
    /// A sentence for people, with the fix in it.
    public let message: String
    /// The lease that it is about.
    public let lease: LeaseID?
    /// How long to wait before trying again, where that is known.
    public let retryAfter: Duration?
    /// What caused it.
    ///
    /// Its text is not part of ``description``.
    public let underlying: (any Error)?

    /// Makes an error.
    public init(
        _ code: Code,
        _ message: String,
        lease: LeaseID? = nil,
        retryAfter: Duration? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.lease = lease
        self.retryAfter = retryAfter
        self.underlying = underlying
    }

    /// Whether the same call may succeed later without anybody changing anything.
    public var isRetryable: Bool { code.isRetryable }
}

extension LeaseError: Hashable {
    /// Compares the codes alone.
    public static func == (lhs: LeaseError, rhs: LeaseError) -> Bool { lhs.code == rhs.code }
    /// Hashes the code alone.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension LeaseError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The code and the sentence; safe to log.
    public var description: String { "\(code): \(message)" }

    /// The description, and the type of the cause.
    public var debugDescription: String {
        guard let underlying else { return description }
        return "\(description) [caused by \(type(of: underlying))]"
    }

    /// Everything but the cause, of which only the type is shown: nobody can vouch for a foreign error's text.
    public var customMirror: Mirror {
        let cause = underlying.map { String(describing: type(of: $0)) }
        return Mirror(
            self,
            children: [
                "code": code, "message": message, "lease": lease as Any, "retryAfter": retryAfter as Any,
                "underlying": cause as Any,
            ]
        )
    }
}
