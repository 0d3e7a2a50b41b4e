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
        [SQLTexts.lock([name], as: application)] + (try making()) + [SQLTexts.require(before: deadline.sqlText)]
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
            statements.append(PostgresStatement("ALTER ROLE \(user) SET \(path) TO \(SQLQuoting.literal(value))"))
        }
        return statements
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
        if !role.creation.contains(where: { $0.placeholders.contains(.expiration) }) {
            options += " VALID UNTIL \(SQLQuoting.literal(validUntil.sqlText))"
        }
        if let limit = role.role.connectionLimit { options += " CONNECTION LIMIT \(limit)" }
        return options.isEmpty ? nil : PostgresStatement("ALTER ROLE \(user)\(options)")
    }
}

extension StatementTemplate {
    /// Whether it makes a role and nothing else.
    var makesRole: Bool {
        firstWords.count >= 2 && firstWords[0] == "create" && ["role", "user", "group"].contains(firstWords[1])
    }
}
