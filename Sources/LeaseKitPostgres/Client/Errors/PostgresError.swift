// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What a server, or the way to it, answered instead of a result.
///
/// It holds no text of a statement, no parameter and no password. Of the server's words it keeps those of conditions that
/// name nothing but objects and roles, cut to a length.
public struct PostgresError: Error, Sendable {
    /// What it means for whoever asked.
    public let kind: Kind
    /// Whether it is about what was asked, or about the server as a whole.
    public let scope: BackendFailure.Scope
    /// What the server called it; nil for trouble on the way to it.
    public let sqlState: SQLState?
    /// A short code: the SQLSTATE, or a word of ours such as `timeout`.
    public let code: String
    /// A sentence for people that holds no secret.
    public let message: String
    /// Which of the statements failed, counted from 0.
    public let statement: Int?

    /// Makes an error; its sentence holds no secret and no text of a statement.
    public init(
        _ kind: Kind,
        scope: BackendFailure.Scope,
        sqlState: SQLState? = nil,
        code: String? = nil,
        _ message: String,
        statement: Int? = nil
    ) {
        self.kind = kind
        self.scope = scope
        self.sqlState = sqlState
        self.code = code ?? sqlState?.description ?? kind.description
        self.message = message
        self.statement = statement
    }

    /// What an error means.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The kind as one word.
        public let description: String
        private init(_ description: String) { self.description = description }

        /// Not done, and may work next time.
        public static let transient = Kind("transient")
        /// Not done, because another session was at the same object: worth another try at once.
        public static let conflict = Kind("conflict")
        /// It may have been done: the answer was lost.
        public static let ambiguous = Kind("ambiguous")
        /// What it was about is not there.
        public static let gone = Kind("gone")
        /// Refused until somebody changes a right, a password or what depends on it.
        public static let denied = Kind("denied")
        /// Not a statement that this server can carry out.
        public static let refused = Kind("refused")
    }

    /// Whether the same call may succeed later without anybody changing anything.
    public var isRetryable: Bool { kind == .transient || kind == .conflict || kind == .ambiguous }

    /// The same error of one of several statements.
    public func at(statement index: Int) -> PostgresError {
        PostgresError(kind, scope: scope, sqlState: sqlState, code: code, message, statement: index)
    }

    /// The error in a backend's terms.
    public var backendFailure: BackendFailure {
        let kind: BackendFailure.Kind =
            switch kind {
            case .transient, .conflict: .transient
            case .ambiguous: .ambiguous
            case .gone: .gone
            default: .denied
            }
        return BackendFailure(kind, scope: scope, code: code, message, underlying: self)
    }
}

extension PostgresError: CustomStringConvertible {
    /// The code and the sentence.
    public var description: String {
        let place = statement.map { " (statement \($0 + 1))" } ?? ""
        return "\(code): \(message)\(place)"
    }
}
