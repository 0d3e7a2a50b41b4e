// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Statements that several parts of the backend share.
enum SQLTexts {
    /// Marks the session for the length of a transaction, and keeps other calls about these roles out for as long.
    ///
    /// The application's name tells a later start of the manager whose transaction it is. The locks come in the order of their
    /// keys, so that two transactions never wait for each other.
    static func lock(_ names: [String], as application: String) -> PostgresStatement {
        let keys = names.map { key(of: $0) }.sorted()
        if let key = keys.first, keys.count == 1 {
            return PostgresStatement(
                "SELECT set_config('application_name', $1, true), pg_advisory_xact_lock($2::bigint)",
                [application, "\(key)"]
            )
        }
        return PostgresStatement(
            "SELECT set_config('application_name', $1, true), pg_advisory_xact_lock(k) FROM unnest($2::bigint[]) AS k",
            [application, "{\(keys.map(String.init).joined(separator: ","))}"]
        )
    }

    /// Keeps other transactions of ours that change rights in this database out until the end of this one.
    ///
    /// Rights on one object are one row of the catalog: two transactions that change it at once fail with *tuple concurrently
    /// updated*.
    static let lockRights = PostgresStatement("SELECT pg_advisory_xact_lock(\(rightsKey))")

    private static let rightsKey: Int64 = 0x4C65_6173_654B_6974

    /// The key of a role's lock: 64 bits of its name.
    static func key(of name: String) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int64(bitPattern: hash)
    }

    /// Fails with `22012` unless all of these roles are there and bear these tags; changes nothing.
    static func requireOurs(_ roles: [(name: String, tag: String)]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT 1 / (count(*) = $3::bigint)::int
            FROM unnest($1::name[], $2::text[]) AS t(name, tag)
            JOIN pg_catalog.pg_roles r ON r.rolname = t.name
            JOIN pg_catalog.pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_authid'::regclass
                AND starts_with(d.description, t.tag)
            """,
            [array(roles.map(\.name)), array(roles.map(\.tag)), "\(roles.count)"]
        )
    }

    /// Fails with `22012` when the server's clock is past an instant; answers with the clock otherwise.
    static func require(before instant: String) -> PostgresStatement {
        PostgresStatement(
            "SELECT 1 / (clock_timestamp() < $1::timestamptz)::int, \(ServerClock.column)",
            [instant]
        )
    }

    /// What the two above fail with.
    static let refusal = SQLState("22012")

    /// A text array as a parameter.
    static func array(_ texts: [String]) -> String {
        let elements = texts.map { text in
            "\"\(SQLQuoting.doubledBackslashes(text))\""
        }
        return "{\(elements.joined(separator: ","))}"
    }
}

extension SQLQuoting {
    /// A text as an element of an array: backslashes and double quotes behind a backslash.
    static func doubledBackslashes(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\\" || scalar == "\"" { result.append("\\") }
            result.append(scalar)
        }
        return String(result)
    }
}
