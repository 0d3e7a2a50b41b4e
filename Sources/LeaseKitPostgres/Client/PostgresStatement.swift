// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One statement of SQL and its parameters.
///
/// It never prints its text or its parameters: either may hold a password's verifier or what a user wrote.
public struct PostgresStatement: Sendable {
    /// The SQL: one command, with `$1`, `$2` for its parameters.
    public var text: String
    /// The parameters as texts; nil is NULL.
    public var parameters: [String?]

    /// Makes a statement.
    public init(_ text: String, _ parameters: [String?] = []) {
        self.text = text
        self.parameters = parameters
    }
}

extension PostgresStatement: ExpressibleByStringLiteral {
    /// Makes a statement without parameters of a literal, into which nothing was spliced.
    public init(stringLiteral text: String) { self.init(text) }
}

extension PostgresStatement: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the text or the parameters.
    public var description: String { "<statement with \(parameters.count) parameters>" }
    /// Never the text or the parameters.
    public var debugDescription: String { description }
    /// Never the text or the parameters.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
