// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The statements that make one user, in one transaction.
struct CreationScript: Sendable {
    let name: String
    let role: CompiledRole
    let tag: RoleTag
    let verifier: SecretText
    /// Where the server ends it by itself.
    let validUntil: LeaseInstant
    /// After this it must not be made any more, by the server's clock.
    let deadline: LeaseInstant
    let application: String

    /// - Returns: The statements, and which of them fails when the deadline is over: the last one, so that a transaction that
    ///   arrives late, or takes long, is undone.
    func statements() throws(SQLTextError) -> [PostgresStatement] {
        let lock = SQLTexts.lock([name], as: application)
        let end = SQLTexts.require(before: deadline.sqlText)
        if role.creation.isEmpty { return [lock] + (try making()) + [end] }
        return [lock, SQLTexts.ownPath] + (try making()) + [SQLTexts.catalogOnly, end]
    }

    /// Everything but the lock and the deadline.
    func making() throws(SQLTextError) -> [PostgresStatement] {
        let user = SQLQuoting.name(name)
        let comment = PostgresStatement("COMMENT ON ROLE \(user) IS \(SQLQuoting.literal(tag.text))")
        var statements: [PostgresStatement] = []
        if role.creation.isEmpty {
            statements = [create(user), comment]
        } else {
            let values: [Placeholder: String] = [
                .name: name, .username: name, .password: verifier.withText { $0 }, .expiration: validUntil.sqlText,
            ]
            // Making the user costs the server most; it touches no row of others and needs no lock.
            let head = role.creation.prefix { $0.makesRole }
            let tail = role.creation.dropFirst(head.count)
            for template in head { statements.append(PostgresStatement(try template.text(values))) }
            if !head.isEmpty { statements.append(comment) }
            if !tail.isEmpty { statements.append(SQLTexts.lockRights) }
            for template in tail { statements.append(PostgresStatement(try template.text(values))) }
            if head.isEmpty { statements.append(comment) }
            if let rest = limits(user) { statements.append(rest) }
        }
        for (setting, value) in role.role.settings.sorted(by: { $0.key < $1.key }) {
            let path = setting.split(separator: ".").map { SQLQuoting.name(String($0)) }.joined(separator: ".")
            let values = Self.elements(of: setting, value).map(SQLQuoting.literal).joined(separator: ", ")
            statements.append(PostgresStatement("ALTER ROLE \(user) SET \(path) TO \(values)"))
        }
        return statements
    }

    /// The elements of a setting's value: several where it is a list of names, which would be one name otherwise.
    private static func elements(of setting: String, _ value: String) -> [String] {
        let lists: Set = ["search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"]
        guard lists.contains(setting.lowercased()) else { return [value] }
        var elements: [String] = []
        var element = ""
        var isQuoted = false
        for scalar in value.unicodeScalars {
            if scalar == "\"" { isQuoted.toggle() }
            if scalar == ",", !isQuoted {
                elements.append(element)
                element = ""
            } else {
                element.unicodeScalars.append(scalar)
            }
        }
        return (elements + [element]).map(unquoted)
    }

    /// A name as PostgreSQL reads it in a list: in double quotes as it stands, in lower case otherwise.
    private static func unquoted(_ text: String) -> String {
        let trimmed = text.unicodeScalars.drop { $0.properties.isWhitespace }
        let name = String(String.UnicodeScalarView(trimmed.reversed().drop { $0.properties.isWhitespace }.reversed()))
        guard name.hasPrefix("\""), name.hasSuffix("\""), name.utf8.count > 1 else {
            return SQLStatement.folded(Array(name.utf8)[...])
        }
        return String(name.dropFirst().dropLast()).replacing("\"\"", with: "\"")
    }

    private func create(_ user: String) -> PostgresStatement {
        var text = "CREATE ROLE \(user) LOGIN PASSWORD \(verifier.withText(SQLQuoting.literal))"
        text += " VALID UNTIL \(SQLQuoting.literal(validUntil.sqlText))"
        if let limit = role.role.connectionLimit { text += " CONNECTION LIMIT \(limit)" }
        text += " IN ROLE \(role.groups.map(SQLQuoting.name).joined(separator: ", "))"
        return PostgresStatement(text)
    }

    /// What a user's own statements did not say: where the server ends it, and how many sessions it may have.
    private func limits(_ user: String) -> PostgresStatement? {
        var options = ""
        if !role.creation.contains(where: \.movesEnd) {
            options += " VALID UNTIL \(SQLQuoting.literal(validUntil.sqlText))"
        }
        if let limit = role.role.connectionLimit { options += " CONNECTION LIMIT \(limit)" }
        return options.isEmpty ? nil : PostgresStatement("ALTER ROLE \(user)\(options)")
    }
}

extension StatementTemplate {
    /// Whether it says where the server ends a user by itself.
    var movesEnd: Bool { placeholders.contains(.expiration) && words.isSuperset(of: ["valid", "until"]) }

    /// Whether it makes a role and nothing else.
    var makesRole: Bool {
        firstWords.count >= 2 && firstWords[0] == "create" && ["role", "user", "group"].contains(firstWords[1])
    }
}
