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

    /// Two questions: who they are and how many sessions they have; and what hangs on them where.
    static func questions(about names: [String]) -> [PostgresStatement] {
        let parameter = SQLTexts.array(names)
        return [
            PostgresStatement(
                """
                SELECT r.rolname, r.oid::text, count(a.pid)
                FROM pg_catalog.pg_roles r LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.usesysid = r.oid
                WHERE r.rolname = ANY ($1::name[]) GROUP BY 1, 2
                """,
                [parameter]
            ),
            // A default privilege that the role set for itself counts as owned, and is nothing that anybody wants to keep.
            PostgresStatement(
                """
                SELECT r.rolname, coalesce(b.datname, ''),
                    bool_or(d.deptype = 'o' AND d.classid <> 'pg_catalog.pg_default_acl'::regclass)
                FROM pg_catalog.pg_roles r
                JOIN pg_catalog.pg_shdepend d
                    ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = r.oid
                LEFT JOIN pg_catalog.pg_database b ON b.oid = d.dbid
                WHERE r.rolname = ANY ($1::name[]) GROUP BY 1, 2
                """,
                [parameter]
            ),
        ]
    }

    init(roles: PostgresResult, dependencies: PostgresResult) {
        for row in roles.rows {
            guard let name = row[0], let oid = row[1] else { continue }
            self.roles[name] = Role(oid: oid, sessions: row[2].flatMap { Int($0) } ?? 0)
        }
        for row in dependencies.rows {
            guard let name = row[0], let database = row[1] else { continue }
            self.roles[name]?.databases.insert(database)
            if row[2] == "t" { self.roles[name]?.ownsObjects = true }
        }
    }
}
