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
    /// Whether the same text will be sent again and again, with other parameters.
    ///
    /// A client may have the server keep what it made of the text; for a look into the catalog that is most of the work. One that
    /// does not care sends it like any other.
    public var isRepeated: Bool

    /// Makes a statement.
    public init(_ text: String, _ parameters: [String?] = [], isRepeated: Bool = false) {
        self.text = text
        self.parameters = parameters
        self.isRepeated = isRepeated
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
