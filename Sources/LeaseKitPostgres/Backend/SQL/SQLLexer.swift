// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Cuts an SQL text into tokens by the rules of PostgreSQL's scanner, with `standard_conforming_strings` on.
///
/// A placeholder `{{…}}` outside quotes is part of a word, so that `app_{{name}}` is one name.
struct SQLLexer {
    let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        position = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    /// Every token of a text.
    static func tokens(of bytes: [UInt8], in range: Range<Int>? = nil) throws(SQLTextError) -> [SQLToken] {
        var lexer = SQLLexer(bytes, in: range)
        var tokens: [SQLToken] = []
        while let token = try lexer.next() { tokens.append(token) }
        return tokens
    }

    /// The next token; nil at the end of the text.
    mutating func next() throws(SQLTextError) -> SQLToken? {
        guard let byte = peek() else { return nil }
        let start = position
        switch byte {
        case UInt8(ascii: " "), 0x09...0x0D:
            while let byte = peek(), byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte) { position += 1 }
            return SQLToken(.space, start..<position)
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            while let byte = peek(), byte != 0x0A, byte != 0x0D { position += 1 }
            return SQLToken(.comment, start..<position)
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            try skipBlockComment()
            return SQLToken(.comment, start..<position)
        case UInt8(ascii: "\""):
            return try quoted(.quotedName, from: start)
        case UInt8(ascii: "'"):
            return try quoted(.string, from: start)
        case UInt8(ascii: "$"):
            if let token = try dollarString(from: start) { return token }
            position += 1
            // A parameter such as $1.
            while let byte = peek(), byte.isDigit { position += 1 }
            return SQLToken(.symbol, start..<position)
        case UInt8(ascii: ";"):
            position += 1
            return SQLToken(.semicolon, start..<position)
        case _ where byte.isDigit || (byte == UInt8(ascii: ".") && peek(1)?.isDigit == true):
            while let byte = peek(), byte.isWordPart || byte == UInt8(ascii: ".") { position += 1 }
            return SQLToken(.number, start..<position)
        case _ where byte.isWordStart || startsPlaceholder:
            return try word(from: start)
        default:
            position += 1
            return SQLToken(.symbol, start..<position)
        }
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < end ? bytes[position + distance] : nil
    }

    private var startsPlaceholder: Bool { peek() == UInt8(ascii: "{") && peek(1) == UInt8(ascii: "{") }

    /// A word, or the prefix that makes a quoted token special: `E'…'`, `U&"…"`.
    private mutating func word(from start: Int) throws(SQLTextError) -> SQLToken {
        if let first = peek(), let second = peek(1) {
            let letter = first | 0x20
            if second == UInt8(ascii: "'"), letter == UInt8(ascii: "e") {
                position += 1
                return try quoted(.escapeString, from: start)
            }
            if second == UInt8(ascii: "'"), "bxn".utf8.contains(letter) {
                position += 1
                return try quoted(.string, from: start)
            }
            if letter == UInt8(ascii: "u"), second == UInt8(ascii: "&"), let third = peek(2) {
                if third == UInt8(ascii: "'") || third == UInt8(ascii: "\"") {
                    position += 2
                    return try quoted(third == UInt8(ascii: "'") ? .string : .quotedName, from: start)
                }
            }
        }
        while let byte = peek() {
            if startsPlaceholder {
                guard let length = placeholderLength else {
                    throw SQLTextError("a placeholder that begins with {{ is not closed with }}")
                }
                position += length
            } else if byte.isWordPart || byte == UInt8(ascii: "$") {
                position += 1
            } else {
                break
            }
        }
        return SQLToken(.word, start..<position)
    }

    private var placeholderLength: Int? {
        var at = position + 2
        while at + 1 < end, bytes[at] != 0x0A {
            if bytes[at] == UInt8(ascii: "}"), bytes[at + 1] == UInt8(ascii: "}") { return at + 2 - position }
            at += 1
        }
        return nil
    }

    /// Block comments nest.
    private mutating func skipBlockComment() throws(SQLTextError) {
        var depth = 0
        while let byte = peek() {
            if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                position += 2
            } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                position += 1
            }
        }
        throw SQLTextError("a comment that begins with /* is not closed with */")
    }

    private mutating func quoted(_ kind: SQLToken.Kind, from start: Int) throws(SQLTextError) -> SQLToken {
        let quote = bytes[position]
        position += 1
        let content = position
        while let byte = peek() {
            if byte == quote {
                if peek(1) == quote {
                    position += 2
                    continue
                }
                position += 1
                // An escape string that goes on in the next line goes on with its escapes.
                if kind == .escapeString, let next = continuation {
                    position = next
                    continue
                }
                return SQLToken(kind, start..<position, content: content..<(position - 1))
            }
            position += kind == .escapeString && byte == UInt8(ascii: "\\") && peek(1) != nil ? 2 : 1
        }
        throw SQLTextError(kind == .quotedName ? "a name in double quotes is not closed" : "a string is not closed")
    }

    /// Behind the quote by which a string goes on; nil when it is over: only a line end between the quotes makes them one string.
    private var continuation: Int? {
        var at = position
        var hasLineEnd = false
        while at < end, bytes[at] == UInt8(ascii: " ") || (0x09...0x0D).contains(bytes[at]) {
            hasLineEnd = hasLineEnd || bytes[at] == 0x0A || bytes[at] == 0x0D
            at += 1
        }
        return hasLineEnd && at < end && bytes[at] == UInt8(ascii: "'") ? at + 1 : nil
    }

    /// `$tag$ … $tag$`; nil when this dollar does not begin one.
    private mutating func dollarString(from start: Int) throws(SQLTextError) -> SQLToken? {
        var at = position + 1
        if at < end, bytes[at].isWordStart {
            while at < end, bytes[at].isWordPart { at += 1 }
        }
        guard at < end, bytes[at] == UInt8(ascii: "$") else { return nil }
        let delimiter = bytes[start...at]
        let content = at + 1
        at = content
        while at + delimiter.count <= end {
            if bytes[at] == UInt8(ascii: "$"), bytes[at..<(at + delimiter.count)].elementsEqual(delimiter) {
                position = at + delimiter.count
                return SQLToken(.dollarString, start..<position, content: content..<at)
            }
            at += 1
        }
        throw SQLTextError("a string in dollar quotes (\(String(decoding: delimiter, as: UTF8.self))) is not closed")
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    /// Bytes above 127 belong to letters of other scripts.
    var isWordStart: Bool {
        let letter = self | 0x20
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) || self == UInt8(ascii: "_") || self >= 0x80
    }
    var isWordPart: Bool { isWordStart || isDigit }
}
