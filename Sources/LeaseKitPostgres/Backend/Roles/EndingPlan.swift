// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is needed of a role to end its users, should the role have changed or gone by then: stored with the leases.
struct EndingPlan: Hashable, Sendable {
    var owned: PostgresRole.OwnedObjects
    /// The statements of the role, as they were configured.
    var statements: [String]

    /// For users of whom nothing is known but their tag.
    static let unknown = EndingPlan(owned: .refuse, statements: [])

    init(owned: PostgresRole.OwnedObjects, statements: [String]) {
        self.owned = owned
        self.statements = statements
    }

    /// Reads a stored plan; nil for bytes that are none.
    init?(_ bytes: [UInt8]) {
        var fields = FieldReader(bytes)
        guard fields.next() == "1", let policy = fields.next(), let owner = fields.next() else { return nil }
        switch policy {
        case "refuse": owned = .refuse
        case "drop": owned = .drop
        case "reassign": owned = .reassign(to: owner)
        default: return nil
        }
        statements = []
        while let statement = fields.next() { statements.append(statement) }
    }

    var bytes: [UInt8] {
        let policy =
            switch owned.value {
            case .refuse: ["refuse", ""]
            case .drop: ["drop", ""]
            case .reassign(let owner): ["reassign", owner]
            }
        return fieldBytes(["1"] + policy + statements)
    }

    /// The statements with the user's name in them; those that cannot be read any more are left out.
    func statements(for name: String) -> [String] {
        statements.flatMap { text in
            let templates = (try? StatementTemplate.all(in: text)) ?? []
            return templates.compactMap { try? $0.text([.name: name, .username: name]) }
        }
    }
}
