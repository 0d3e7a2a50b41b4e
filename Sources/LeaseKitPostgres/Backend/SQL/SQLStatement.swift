// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One statement of an SQL text, without the semicolon that ended it.
struct SQLStatement: Hashable, Sendable {
    let bytes: [UInt8]
    let tokens: [SQLToken]

    var text: String { String(decoding: bytes[range], as: UTF8.self) }

    /// From the first token that counts to the last one.
    var range: Range<Int> { (tokens.first?.range.lowerBound ?? 0)..<(tokens.last?.range.upperBound ?? 0) }

    /// Cuts a text at the semicolons of its top level; pieces without a word are left out.
    ///
    /// A semicolon inside quotes, comments, parentheses or a `BEGIN ATOMIC … END` body does not end a statement.
    static func split(_ text: String) throws(SQLTextError) -> [SQLStatement] {
        let bytes = Array(text.utf8)
        var statements: [SQLStatement] = []
        var current: [SQLToken] = []
        var nesting = Nesting()
        for token in try SQLLexer.tokens(of: bytes) {
            if token.kind == .semicolon, nesting.isTopLevel {
                if let statement = SQLStatement(bytes, current) { statements.append(statement) }
                (current, nesting) = ([], Nesting())
            } else {
                nesting.read(token, in: bytes)
                current.append(token)
            }
        }
        if nesting.atomicDepth > 0 { throw SQLTextError("a BEGIN ATOMIC body is not closed with END") }
        if nesting.parentheses > 0 { throw SQLTextError("a parenthesis is not closed") }
        if let statement = SQLStatement(bytes, current) { statements.append(statement) }
        return statements
    }

    private init?(_ bytes: [UInt8], _ tokens: [SQLToken]) {
        let counts = { (token: SQLToken) in token.kind != .space && token.kind != .comment }
        guard let first = tokens.firstIndex(where: counts), let last = tokens.lastIndex(where: counts) else {
            return nil
        }
        self.bytes = bytes
        self.tokens = Array(tokens[first...last])
    }

    /// The statement's first words in lower case, up to the first token that is no unquoted word.
    var firstWords: [String] {
        let counting = tokens.filter { $0.kind != .space && $0.kind != .comment }
        return counting.prefix { $0.kind == .word }.prefix(6).map { Self.folded(bytes[$0.range]) }
    }

    static func folded(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// How deep inside a statement a token stands.
private struct Nesting {
    var parentheses = 0
    /// Levels of `BEGIN ATOMIC`, and of `CASE` inside it: both are closed by `END`.
    var atomicDepth = 0
    private var previousWord = ""

    var isTopLevel: Bool { parentheses == 0 && atomicDepth == 0 }

    mutating func read(_ token: SQLToken, in bytes: [UInt8]) {
        switch token.kind {
        case .symbol where bytes[token.range.lowerBound] == UInt8(ascii: "("): parentheses += 1
        case .symbol where bytes[token.range.lowerBound] == UInt8(ascii: ")"): parentheses = max(0, parentheses - 1)
        case .word:
            let word = SQLStatement.folded(bytes[token.range])
            if word == "atomic", previousWord == "begin" { atomicDepth += 1 }
            if word == "case", atomicDepth > 0 { atomicDepth += 1 }
            if word == "end", atomicDepth > 0 { atomicDepth -= 1 }
            previousWord = word
        case .space, .comment: break
        default: previousWord = ""
        }
    }
}
