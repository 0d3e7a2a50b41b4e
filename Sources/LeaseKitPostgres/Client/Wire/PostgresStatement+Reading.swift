// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the first words of a statement tell about what it does to its connection.
extension PostgresStatement {
    /// In capital letters; comments and semicolons in front of them are no words.
    private var words: [String] {
        var rest = Substring(text).utf8
        var words: [String] = []
        while words.count < 2 {
            rest = rest.afterBlanks
            let word = rest.prefix { ($0 | 0x20).isLowercaseLetter || $0 == UInt8(ascii: "_") }
            if word.isEmpty { break }
            words.append(Substring(word).uppercased())
            rest = rest[word.endIndex...]
        }
        return words
    }

    /// Whether it commits what came before.
    var commits: Bool { ["COMMIT", "END", "PREPARE"].contains(words.first) }

    /// Whether a transaction that it is part of would be over, or a second one begun.
    var movesTransaction: Bool {
        switch words.first {
        case "BEGIN", "START", "COMMIT", "END", "ABORT": true
        case "ROLLBACK": words.last != "TO"
        case "PREPARE": words.last == "TRANSACTION"
        default: false
        }
    }

    /// Whether it changes the session beyond its transaction.
    var changesSession: Bool {
        switch words.first {
        case "SET": !["LOCAL", "TRANSACTION", "CONSTRAINTS"].contains(words.last)
        case "RESET", "DISCARD", "DEALLOCATE": true
        default: false
        }
    }

    /// Whether C would see another statement than we do.
    var hasZeroByte: Bool {
        text.utf8.contains(0) || parameters.contains { $0?.utf8.contains(0) ?? false }
    }
}

extension UInt8 {
    fileprivate var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}

extension Substring.UTF8View {
    /// What comes after blanks, semicolons and comments.
    fileprivate var afterBlanks: Self {
        var rest = self
        while let byte = rest.first {
            if byte <= UInt8(ascii: " ") || byte == UInt8(ascii: ";") {
                rest = rest.dropFirst()
            } else if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            } else if rest.starts(with: "/*".utf8) {
                rest = rest.afterComment
            } else {
                break
            }
        }
        return rest
    }

    /// What comes after the comment that it begins with, in which there may be others.
    private var afterComment: Self {
        var (rest, depth) = (dropFirst(2), 1)
        while depth > 0, !rest.isEmpty {
            if rest.starts(with: "/*".utf8) {
                (rest, depth) = (rest.dropFirst(2), depth + 1)
            } else if rest.starts(with: "*/".utf8) {
                (rest, depth) = (rest.dropFirst(2), depth - 1)
            } else {
                rest = rest.dropFirst()
            }
        }
        return rest
    }
}
