// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitPostgres

/// Texts are cut where PostgreSQL's own scanner would cut them.
@Suite struct SQLLexerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let text: String
        let statements: [String]

        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(name: "empty", text: "  ;; -- nothing\n ; /* at all */ ", statements: []),
        Row(name: "two", text: "SELECT 1; SELECT 2;", statements: ["SELECT 1", "SELECT 2"]),
        Row(
            name: "semicolon in a string",
            text: "SELECT 'a;b''c;'; SELECT 2",
            statements: ["SELECT 'a;b''c;'", "SELECT 2"]
        ),
        Row(
            name: "semicolon in a name",
            text: "DROP TABLE \"a;\"\"b\"; x",
            statements: ["DROP TABLE \"a;\"\"b\"", "x"]
        ),
        Row(name: "escape string", text: #"SELECT E'it\';s'; x"#, statements: [#"SELECT E'it\';s'"#, "x"]),
        Row(
            name: "escape string that goes on in the next line",
            text: "SELECT E'it'\n  '\\';s'; SELECT E'a' '\\'; x",
            statements: ["SELECT E'it'\n  '\\';s'", "SELECT E'a' '\\'", "x"]
        ),
        Row(name: "a backslash is a backslash", text: #"SELECT 'C:\'; x"#, statements: [#"SELECT 'C:\'"#, "x"]),
        Row(name: "nested comments", text: "a /* ; /* ; */ ; */ b; c", statements: ["a /* ; /* ; */ ; */ b", "c"]),
        Row(name: "line comment", text: "a -- ; it's\n b; c", statements: ["a -- ; it's\n b", "c"]),
        Row(
            name: "DO with declarations",
            text: "DO $$ DECLARE x int; BEGIN x := 1; IF x = 1 THEN x := 2; END IF; END $$; SELECT 1;",
            statements: ["DO $$ DECLARE x int; BEGIN x := 1; IF x = 1 THEN x := 2; END IF; END $$", "SELECT 1"]
        ),
        Row(
            name: "tagged dollars without END",
            text: "DO $do$ x; $$ y; $do$; z",
            statements: ["DO $do$ x; $$ y; $do$", "z"]
        ),
        Row(
            name: "lower case end",
            text: "do $$ begin perform 1; end $$; x",
            statements: ["do $$ begin perform 1; end $$", "x"]
        ),
        Row(
            name: "CASE … END splits",
            text: "SELECT CASE WHEN true THEN 1 END; SELECT 2",
            statements: ["SELECT CASE WHEN true THEN 1 END", "SELECT 2"]
        ),
        Row(
            name: "BEGIN ATOMIC",
            text: "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; x",
            statements: [
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END", "x",
            ]
        ),
        Row(
            name: "rule in parentheses",
            text: "CREATE RULE r AS ON INSERT TO t DO ALSO (a; b); c",
            statements: ["CREATE RULE r AS ON INSERT TO t DO ALSO (a; b)", "c"]
        ),
        Row(name: "dollar in a word", text: "SELECT a$b$c; x", statements: ["SELECT a$b$c", "x"]),
        Row(name: "parameters", text: "SELECT $1; x", statements: ["SELECT $1", "x"]),
        Row(name: "unicode names", text: "SELECT U&\"d\\0061;\"; x", statements: ["SELECT U&\"d\\0061;\"", "x"]),
        Row(name: "no semicolon at the end", text: "DROP ROLE a", statements: ["DROP ROLE a"]),
        Row(name: "crlf", text: "a;\r\nb;\r\n", statements: ["a", "b"]),
        Row(name: "other scripts", text: "SELECT \"Ключ;\", größe; ñ", statements: ["SELECT \"Ключ;\", größe", "ñ"]),
    ]

    @Test(arguments: rows)
    func splits(_ row: Row) throws {
        #expect(try SQLStatement.split(row.text).map(\.text) == row.statements)
    }

    @Test(arguments: ["SELECT 'a", "SELECT \"a", "DO $x$ a $y$", "a /* /* */", "f(a", "E'\\'", "{{name"])
    func refuses(_ text: String) {
        #expect(throws: SQLTextError.self) { try StatementTemplate.all(in: text) }
    }

    /// Whatever a text is made of, its tokens joined are the text, and so are the statements of what was split.
    @Test func loosesNothing() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = Splitmix(state: seed)
        let parts = [
            "SELECT", " ", "\n", "'", "''", "\"", "$$", "$a$", "$", ";", "(", ")", "--", "/*", "*/", "\\", "E'", "U&'",
            "é",
            "1.5e3", "{{name}}", "BEGIN ATOMIC", "END", "CASE", "::", "x", "0", "b'",
        ]
        var whole = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in parts.randomElement(using: &random) ?? ""
            }
            .joined()
            let bytes = Array(text.utf8)
            guard let tokens = try? SQLLexer.tokens(of: bytes) else { continue }
            whole += 1
            #expect(tokens.flatMap { bytes[$0.range] } == bytes, "\(text)")
            guard let statements = try? SQLStatement.split(text) else { continue }
            // Cut again, each is one statement and the same.
            for statement in statements {
                #expect(try SQLStatement.split(statement.text).map(\.text) == [statement.text], "\(text)")
            }
        }
        #expect(whole > 2_000)
    }
}

/// A small generator whose runs can be repeated.
struct Splitmix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
