// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Rights on one object that a user was given by one grantor.
struct GrantedRights: Hashable, Sendable {
    let grantor: String
    /// Such as `TABLE s1.orders`, as `REVOKE` names it.
    let object: String
    /// Such as `SELECT (price), DELETE`, as `REVOKE` names them.
    let rights: String

    init?(_ row: [String?]) {
        guard row.count == 3, let grantor = row[0], let object = row[1], let rights = row[2] else { return nil }
        self.grantor = grantor
        self.object = object
        self.rights = rights
    }

    /// These rights, and what others were given on the strength of them.
    ///
    /// Not all privileges: on a relation these would be those on its columns, too, and who may give nothing there is refused.
    func revocation(from user: String) -> PostgresStatement {
        PostgresStatement("REVOKE \(rights) ON \(object) FROM \(user) CASCADE")
    }

    /// Every right that a user holds in this database and in what all share.
    ///
    /// Found through `pg_shdepend`, so that only the objects in question are read.
    static func question(of oid: String, _ facts: ServerFacts) -> PostgresStatement {
        var kinds: [(catalog: String, list: String, object: String, alias: String, more: String)] = [
            (
                "pg_class", "x.relacl",
                "CASE WHEN x.relkind = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || format('%I.%I', n.nspname, x.relname)",
                "x.oid", "JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace"
            ),
            ("pg_proc", "x.proacl", "'ROUTINE ' || x.oid::regprocedure::text", "x.oid", ""),
            ("pg_namespace", "x.nspacl", "'SCHEMA ' || quote_ident(x.nspname)", "x.oid", ""),
            (
                "pg_type", "x.typacl", "'TYPE ' || format('%I.%I', n.nspname, x.typname)", "x.oid",
                "JOIN pg_catalog.pg_namespace n ON n.oid = x.typnamespace"
            ),
            ("pg_language", "x.lanacl", "'LANGUAGE ' || quote_ident(x.lanname)", "x.oid", ""),
            (
                "pg_foreign_data_wrapper", "x.fdwacl", "'FOREIGN DATA WRAPPER ' || quote_ident(x.fdwname)", "x.oid", ""
            ),
            ("pg_foreign_server", "x.srvacl", "'FOREIGN SERVER ' || quote_ident(x.srvname)", "x.oid", ""),
            // What hangs on a large object hangs on its pages, which are told apart by its number.
            ("pg_largeobject_metadata", "x.lomacl", "'LARGE OBJECT ' || x.oid", "x.oid", ""),
            ("pg_database", "x.datacl", "'DATABASE ' || quote_ident(x.datname)", "x.oid", ""),
            ("pg_tablespace", "x.spcacl", "'TABLESPACE ' || quote_ident(x.spcname)", "x.oid", ""),
        ]
        if facts.hasParameterPrivileges {
            kinds.append(("pg_parameter_acl", "x.paracl", "'PARAMETER ' || x.parname", "x.oid", ""))
        }
        var parts = kinds.map { kind in
            part(kind.catalog, list: kind.list, object: kind.object, id: kind.alias, more: kind.more)
        }
        // Rights on columns hang on the table, with the column beside it.
        parts.append(
            """
            SELECT a.grantor, 'TABLE ' || format('%I.%I', n.nspname, c.relname), format('%s (%I)', a.privilege_type, x.attname)
            FROM mine d JOIN pg_catalog.pg_attribute x ON x.attrelid = d.objid
            JOIN pg_catalog.pg_class c ON c.oid = x.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
                pg_catalog.aclexplode(x.attacl) a
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND a.grantee = $1::oid
            """
        )
        return PostgresStatement(
            """
            WITH mine AS MATERIALIZED (
                SELECT DISTINCT s.classid, s.objid FROM pg_catalog.pg_shdepend s
                WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.refobjid = $1::oid AND s.deptype = 'a'
                    AND s.dbid IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database()))
            ), given (grantor, object, privilege) AS (
            \(parts.joined(separator: "\nUNION\n"))
            )
            SELECT g.rolname, given.object, string_agg(given.privilege, ', ')
            FROM given JOIN pg_catalog.pg_roles g ON g.oid = given.grantor GROUP BY 1, 2 ORDER BY 1, 2
            """,
            [oid]
        )
    }

    private static func part(_ catalog: String, list: String, object: String, id: String, more: String) -> String {
        let dependent = catalog == "pg_largeobject_metadata" ? "pg_largeobject" : catalog
        return """
            SELECT a.grantor, \(object), a.privilege_type
            FROM mine d JOIN pg_catalog.\(catalog) x ON \(id) = d.objid \(more), pg_catalog.aclexplode(\(list)) a
            WHERE d.classid = 'pg_catalog.\(dependent)'::regclass AND a.grantee = $1::oid
            """
    }
}
