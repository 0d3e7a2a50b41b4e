// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A role that was checked, its statements read.
struct CompiledRole: Sendable {
    let name: String
    let role: PostgresRole
    let groups: [String]
    let creation: [StatementTemplate]
    let renewal: [StatementTemplate]
    let rollback: [StatementTemplate]
    let plan: EndingPlan

    init(_ role: PostgresRole, named name: String) throws(PostgresRoleError) {
        self.role = role
        self.name = name
        let check = RoleCheck(name: name)
        try check.nameAndTimes(of: role)
        try check.targets(of: role)
        switch role.making.value {
        case .groups(let groups):
            self.groups = groups
            (creation, renewal, rollback) = ([], [], [])
            plan = EndingPlan(owned: role.ownedObjects, statements: [])
        case .statements(let creation, let renewal, let revocation, let rollback):
            groups = []
            self.creation = try check.templates(creation, "creation", [.name, .username, .password, .expiration])
            try check.makesUser(self.creation)
            self.renewal = try check.templates(renewal, "renewal", [.name, .username, .expiration])
            _ = try check.templates(revocation, "revocation", [.name, .username])
            self.rollback = try check.templates(rollback, "rollback", [.name, .username])
            plan = EndingPlan(owned: role.ownedObjects, statements: revocation)
        }
    }

    /// Whether its users get rights on objects one by one, which lengthens the objects' access lists.
    var grantsOnObjects: Bool {
        creation.contains { $0.firstWords.first == "grant" && $0.words.contains("on") }
    }
}

/// Says what is wrong with a role.
private struct RoleCheck {
    let name: String

    func refuse(_ code: PostgresRoleError.Code, _ message: String) -> PostgresRoleError {
        PostgresRoleError(code: code, role: name, message: message)
    }

    func nameAndTimes(of role: PostgresRole) throws(PostgresRoleError) {
        do { try LeasePath.validate("creds/\(name)") } catch {
            throw refuse(.invalidName, "give it a name that can be a part of a path: \(error)")
        }
        if name.contains("/") {
            throw refuse(.invalidName, "a slash would make it two parts of a path; use another character")
        }
        for (what, time) in [("ttl", role.ttl), ("maximum", role.maximum)] {
            if let time, time <= .zero { throw refuse(.invalidLimits, "its \(what) is not above zero") }
        }
        if let ttl = role.ttl, let maximum = role.maximum, ttl > maximum {
            throw refuse(.invalidLimits, "its ttl is over its maximum; lower the one or raise the other")
        }
        if !role.userName.isValid {
            throw refuse(
                .invalidUserName,
                "the prefix of its user names must begin with a lower-case letter and have at most 16 of those, digits and "
                    + "underscores"
            )
        }
        if let trouble = role.password.trouble { throw refuse(.invalidPassword, trouble) }
        if !(1...100_000).contains(role.iterations) {
            throw refuse(.invalidPassword, "its iterations are \(role.iterations); take 1 to 100,000")
        }
        if let limit = role.connectionLimit, limit < 0 {
            throw refuse(.invalidConnectionLimit, "its connectionLimit is \(limit); use nil for none")
        }
    }

    func targets(of role: PostgresRole) throws(PostgresRoleError) {
        if case .groups(let groups) = role.making.value {
            if groups.isEmpty {
                throw refuse(.invalidTarget, "a user of no group may do nothing; name the group that holds the rights")
            }
            for group in groups { try requireName(group, "group") }
        }
        for database in role.databases { try requireName(database, "database") }
        if case .reassign(let owner) = role.ownedObjects.value { try requireName(owner, "new owner") }
        for setting in role.settings.keys.sorted() {
            let parts = setting.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            let isName = parts.allSatisfy { $0.first?.isWordStart == true && $0.allSatisfy(\.isWordPart) }
            if !isName { throw refuse(.invalidSetting, "\"\(setting)\" is no name of a setting") }
        }
    }

    private func requireName(_ text: String, _ what: String) throws(PostgresRoleError) {
        if text.isEmpty || text.utf8.count > 63 || text.utf8.contains(0) {
            throw refuse(.invalidTarget, "the name of its \(what) must have 1 to 63 bytes")
        }
    }

    func templates(
        _ texts: [String],
        _ what: String,
        _ allowed: Set<Placeholder>
    ) throws(PostgresRoleError) -> [StatementTemplate] {
        var templates: [StatementTemplate] = []
        for text in texts {
            do throws(SQLTextError) {
                templates += try StatementTemplate.all(in: text)
            } catch {
                throw refuse(.invalidStatement, "its \(what) statements cannot be read: \(error)")
            }
        }
        for template in templates {
            if let foreign = template.placeholders.subtracting(allowed).map(\.rawValue).min() {
                throw refuse(.invalidStatement, "{{\(foreign)}} has no meaning in its \(what) statements")
            }
            let control: Set = ["begin", "start", "commit", "rollback", "abort", "savepoint", "release", "end"]
            if let first = template.firstWords.first, control.contains(first) {
                throw refuse(
                    .transactionControl,
                    "its \(what) statements contain \(first.uppercased()); leave it out, all of them run in one transaction"
                )
            }
        }
        return templates
    }

    func makesUser(_ creation: [StatementTemplate]) throws(PostgresRoleError) {
        let named = creation.reduce(into: Set<Placeholder>()) { $0.formUnion($1.placeholders) }
        if named.isDisjoint(with: [.name, .username]) {
            throw refuse(.makesNoUser, "no creation statement contains {{name}}: CREATE ROLE \"{{name}}\" LOGIN …")
        }
        if !named.contains(.password) {
            throw refuse(.makesNoUser, "no creation statement contains {{password}}: … PASSWORD '{{password}}' …")
        }
    }
}
