// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Names what keeps a role from being dropped, for people.
enum Dependents {
    /// What hangs on a role in this database and in what all share.
    static func question(of oid: String) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT DISTINCT o.type || ' ' || o.identity, d.deptype::text, d.dbid = 0
            FROM pg_catalog.pg_shdepend d, pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
            WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = $1::oid
                AND d.dbid IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database()))
            ORDER BY 1 LIMIT 21
            """,
            [oid]
        )
    }

    static func names(_ rows: [[String?]], in database: String) -> [String] {
        rows.map { row in
            let how = row[1] == "o" ? "owned by it" : row[1] == "r" ? "a policy names it" : "rights given to it"
            let place = row[2] == "t" ? "" : " in database \(database)"
            return "\((row[0] ?? "an object"))\(place) (\(how))"
        }
    }

    /// The first few, and how many more.
    static func sentence(_ names: [String]) -> String {
        let shown = names.prefix(8).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count > 20 ? "more" : "\(names.count - 8) more")" : shown
    }
}
