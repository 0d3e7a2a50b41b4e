// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a keeper throws: a code to decide by, and a sentence that names the fix.
///
/// The description is safe to log: it holds names, versions and paths, never a secret or a key. Two errors are equal when
/// their codes are: a help for tests.
public struct SecretKeeperError: Error, Sendable {
    /// What kind of trouble it is.
    public let code: Code
    /// A sentence for people, with the fix in it.
    public let message: String
    /// What caused it.
    ///
    /// Its text is not part of ``description``.
    public let underlying: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// Whether the same call may succeed later without anybody changing anything.
    public var isRetryable: Bool { code.isRetryable }
}

extension SecretKeeperError: Hashable {
    /// Compares the codes alone.
    public static func == (lhs: SecretKeeperError, rhs: SecretKeeperError) -> Bool { lhs.code == rhs.code }
    /// Hashes the code alone.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension SecretKeeperError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The code and the sentence; safe to log.
    public var description: String { "\(code): \(message)" }

    /// The description, and the type of the cause.
    public var debugDescription: String {
        guard let underlying else { return description }
        return "\(description) [caused by \(type(of: underlying))]"
    }
}
