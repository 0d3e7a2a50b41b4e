// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the catalog says of users that are to be ended.
struct Findings: Sendable {
    struct Role: Sendable {
        let oid: String
        let sessions: Int
        /// The databases with something of it; empty for what all databases share.
        var databases: Set<String> = []
        var ownsObjects = false
    }

    private var roles: [String: Role] = [:]

    init() {}

    subscript(name: String) -> Role? { roles[name] }
    func hasSessions(_ name: String) -> Bool { (roles[name]?.sessions ?? 0) > 0 }
    var oids: [String] { roles.values.map(\.oid) }

    /// Asks who they are, how many sessions they have, and what hangs on them where: a row for each database.
    static func question(about names: [String]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT n.name, n.oid::text, \(SQLTexts.sessions(of: "n.oid")), h.dbid IS NOT NULL,
                (SELECT b.datname FROM pg_catalog.pg_database b WHERE b.oid = h.dbid), h.owns
            FROM (SELECT u.name, to_regrole(quote_ident(u.name))::oid AS oid FROM unnest($1::text[]) AS u(name)) n
            LEFT JOIN LATERAL (
                SELECT d.dbid, bool_or(\(SQLTexts.isOwned)) AS owns
                FROM pg_catalog.pg_shdepend d
                WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = n.oid GROUP BY d.dbid
            ) h ON true
            WHERE n.oid IS NOT NULL
            """,
            [SQLTexts.array(names)],
            isRepeated: true
        )
    }

    init(_ answer: PostgresResult) {
        for row in answer.rows where row.count == 6 {
            guard let name = row[0], let oid = row[1] else { continue }
            var role = roles[name] ?? Role(oid: oid, sessions: row[2].flatMap { Int($0) } ?? 0)
            if row[3] == "t" { role.databases.insert(row[4] ?? "") }
            if row[5] == "t" { role.ownsObjects = true }
            roles[name] = role
        }
    }
}
