// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One piece of an SQL text, as PostgreSQL's own scanner would cut it.
///
/// Every byte of the text belongs to exactly one token, so that the tokens of a text joined again are the text.
struct SQLToken: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Blanks, and comments of both styles.
        case space, comment
        /// An unquoted name or a keyword; may contain placeholders.
        case word
        /// `"…"` and `U&"…"`.
        case quotedName
        /// `'…'`, `B'…'`, `N'…'`, `U&'…'`: a quote is doubled, a backslash is a backslash.
        case string
        /// `E'…'`: a backslash escapes.
        case escapeString
        /// `$tag$…$tag$`.
        case dollarString
        case number
        case semicolon
        /// Parentheses and everything else.
        case symbol
    }

    let kind: Kind
    let range: Range<Int>
    /// For quoted kinds: what lies between the quotes.
    let content: Range<Int>

    init(_ kind: Kind, _ range: Range<Int>, content: Range<Int>? = nil) {
        self.kind = kind
        self.range = range
        self.content = content ?? range
    }
}

/// What is wrong with an SQL text.
struct SQLTextError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
