// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Reads the tokens of a statement into the pieces of a template.
struct TemplateReader {
    let bytes: [UInt8]
    private var pieces: [StatementTemplate.Piece] = []
    private var pending: [UInt8] = []

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func finish() -> [StatementTemplate.Piece] {
        flush()
        return pieces
    }

    mutating func read(_ token: SQLToken, dollarsAreCode: Bool) throws(SQLTextError) {
        switch token.kind {
        case .word: try readWord(token)
        case .quotedName: try readQuoted(token, .inName)
        case .string: try readQuoted(token, .inString)
        case .escapeString: try readQuoted(token, .inEscapeString)
        case .dollarString:
            let delimiter = text(token.range.lowerBound..<token.content.lowerBound)
            guard dollarsAreCode else { return try readQuoted(token, .inDollars(delimiter)) }
            pending += bytes[token.range.lowerBound..<token.content.lowerBound]
            // Code in code: a text in dollar quotes inside it is a text.
            for inner in try SQLLexer.tokens(of: bytes, in: token.content) { try read(inner, dollarsAreCode: false) }
            pending += bytes[token.content.upperBound..<token.range.upperBound]
        case .space, .comment, .number, .semicolon, .symbol:
            // A comment is no place for a password.
            pending += bytes[token.range]
        }
    }

    private mutating func readQuoted(
        _ token: SQLToken,
        _ quoting: StatementTemplate.Quoting
    ) throws(SQLTextError) {
        var at = token.range.lowerBound
        while let found = try placeholder(in: at..<token.content.upperBound) {
            pending += bytes[at..<found.range.lowerBound]
            append(found.placeholder, quoting)
            at = found.range.upperBound
        }
        pending += bytes[at..<token.range.upperBound]
    }

    /// A word with a placeholder in it is one name: `app_{{name}}` becomes `"app_…"`.
    private mutating func readWord(_ token: SQLToken) throws(SQLTextError) {
        guard let found = try placeholder(in: token.range) else {
            pending += bytes[token.range]
            return
        }
        let before = SQLStatement.folded(bytes[token.range.lowerBound..<found.range.lowerBound])
        let after = SQLStatement.folded(bytes[found.range.upperBound..<token.range.upperBound])
        let isAlone = before.isEmpty && after.isEmpty
        guard try placeholder(in: found.range.upperBound..<token.range.upperBound) == nil,
            isAlone || found.placeholder.isName
        else {
            throw SQLTextError(
                "\(text(token.range)) joins a placeholder with other text; put it into quotes to say what is meant"
            )
        }
        append(found.placeholder, .bare(before: before, after: after))
    }

    private func placeholder(
        in range: Range<Int>
    ) throws(SQLTextError) -> (placeholder: Placeholder, range: Range<Int>)? {
        var at = range.lowerBound
        while at + 1 < range.upperBound {
            guard bytes[at] == UInt8(ascii: "{"), bytes[at + 1] == UInt8(ascii: "{") else {
                at += 1
                continue
            }
            var end = at + 2
            while end + 1 < range.upperBound, !(bytes[end] == UInt8(ascii: "}") && bytes[end + 1] == UInt8(ascii: "}"))
            {
                end += 1
            }
            guard end + 1 < range.upperBound else { return nil }
            let name = text((at + 2)..<end).split(separator: " ").joined(separator: " ")
            guard let placeholder = Placeholder(rawValue: name) else {
                // An array such as '{{1,2},{3,4}}' is none, and was not meant to be one.
                if name.utf8.contains(where: { !$0.isWordPart }) || name.isEmpty {
                    at += 2
                    continue
                }
                let known = Placeholder.allCases.map { "{{\($0.rawValue)}}" }.joined(separator: ", ")
                throw SQLTextError("{{\(name)}} is no placeholder; there are \(known)")
            }
            return (placeholder, at..<(end + 2))
        }
        return nil
    }

    private mutating func append(_ placeholder: Placeholder, _ quoting: StatementTemplate.Quoting) {
        flush()
        pieces.append(.value(placeholder, quoting))
    }

    private mutating func flush() {
        if pending.isEmpty { return }
        pieces.append(.text(String(decoding: pending, as: UTF8.self)))
        pending = []
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
