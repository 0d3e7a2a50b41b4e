// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a statement of a role may name, as Vault's statements do.
enum Placeholder: String, Hashable, Sendable, CaseIterable {
    case name, username, password, expiration

    /// Whether it stands for a name of the database, and not for a value.
    var isName: Bool { self == .name || self == .username }
}

/// A statement with placeholders, read once and written many times.
///
/// How a value is quoted is decided by where its placeholder stands: in double quotes, in single quotes, or bare. Values
/// are put in once, so that one that looks like a placeholder stays what it is.
struct StatementTemplate: Hashable, Sendable {
    /// How a value is written where its placeholder stands.
    enum Quoting: Hashable, Sendable {
        /// In double quotes that are there: its own are doubled.
        case inName
        /// In single quotes that are there.
        case inString
        /// In an escape string: backslashes too.
        case inEscapeString
        /// In a text in dollar quotes that is no code; may not contain the delimiter.
        case inDollars(String)
        /// Bare: quoted as what it is, together with what stands around it without a blank.
        case bare(before: String, after: String)
    }

    enum Piece: Hashable, Sendable {
        case text(String)
        case value(Placeholder, Quoting)
    }

    let pieces: [Piece]
    /// The statement's first words, in lower case.
    let firstWords: [String]
    /// All of its unquoted words, in lower case.
    let words: Set<String>

    /// The placeholders that it names.
    var placeholders: Set<Placeholder> {
        Set(pieces.compactMap { if case .value(let placeholder, _) = $0 { placeholder } else { nil } })
    }

    /// Reads a text of any number of statements.
    static func all(in text: String) throws(SQLTextError) -> [StatementTemplate] {
        var templates: [StatementTemplate] = []
        for statement in try SQLStatement.split(text) { templates.append(try StatementTemplate(statement)) }
        return templates
    }

    init(_ statement: SQLStatement) throws(SQLTextError) {
        var reader = TemplateReader(bytes: statement.bytes)
        firstWords = statement.firstWords
        // The body of DO and of a function is code; elsewhere dollar quotes hold a text.
        let isCode = firstWords.first == "do" || !Set(firstWords).isDisjoint(with: ["function", "procedure"])
        for token in statement.tokens { try reader.read(token, dollarsAreCode: isCode) }
        pieces = reader.finish()
        words = Set(statement.tokens.filter { $0.kind == .word }.map { SQLStatement.folded(statement.bytes[$0.range]) })
    }

    /// The statement with its values.
    func text(_ values: [Placeholder: String]) throws(SQLTextError) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let part): text += part
            case .value(let placeholder, let quoting):
                guard let value = values[placeholder] else {
                    throw SQLTextError("{{\(placeholder.rawValue)}} has no value in this statement")
                }
                text += try Self.quoted(value, placeholder, quoting)
            }
        }
        return text
    }

    private static func quoted(
        _ value: String,
        _ placeholder: Placeholder,
        _ quoting: Quoting
    ) throws(SQLTextError) -> String {
        switch quoting {
        case .inName: return SQLQuoting.doubled(value, "\"")
        case .inString: return SQLQuoting.doubled(value, "'")
        case .inEscapeString: return SQLQuoting.doubled(SQLQuoting.doubled(value, "\\"), "'")
        case .inDollars(let delimiter):
            // A value that ends like the delimiter begins could close the quotes together with what follows.
            guard !value.contains(delimiter), !value.hasSuffix("$") else {
                throw SQLTextError("a value contains the delimiter \(delimiter) of the text that it stands in")
            }
            return value
        case .bare(let before, let after):
            if placeholder.isName { return SQLQuoting.name(before + value + after) }
            return SQLQuoting.literal(value)
        }
    }
}
