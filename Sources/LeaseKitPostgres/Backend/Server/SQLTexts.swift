// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Statements that several parts of the backend share.
enum SQLTexts {
    /// Marks the session for the length of a transaction, and keeps other calls about these roles out for as long.
    ///
    /// The application's name tells a later start of the manager whose transaction it is. The locks come in the order of their
    /// keys, so that two transactions never wait for each other.
    ///
    /// From here on the transaction sees the catalog alone, see ``catalogOnly``.
    ///
    /// - Parameters:
    ///   - seeks: Whether the rest of the transaction is ours alone and looks roles up, see ``seek``.
    ///   - patience: How long this and what follows may wait for a lock; nil for as long as the call has time.
    static func lock(
        _ names: [String],
        as application: String,
        seeks: Bool = false,
        patience: Duration? = nil
    ) -> PostgresStatement {
        let keys = names.map { key(of: $0) }.sorted()
        var marking = "SELECT \(local("application_name", "$1")), \(path)"
        if seeks { marking += ", \(seeking)" }
        if let patience { marking += ", \(waiting(atMost: patience))" }
        if let key = keys.first, keys.count == 1 {
            return PostgresStatement(
                "\(marking), pg_catalog.pg_advisory_xact_lock($2::bigint)",
                [application, "\(key)"],
                isRepeated: true
            )
        }
        return PostgresStatement(
            "\(marking), pg_catalog.pg_advisory_xact_lock(k) FROM pg_catalog.unnest($2::bigint[]) AS k",
            [application, "{\(keys.map(String.init).joined(separator: ","))}"],
            isRepeated: true
        )
    }

    /// The same without the lock, for who cannot have it.
    static func mark(as application: String) -> PostgresStatement {
        PostgresStatement("SELECT \(local("application_name", "$1")), \(path)", [application])
    }

    /// Has the rest of the transaction find functions and operators in the catalog alone.
    ///
    /// Whoever may create something in a schema of the search path can make a function or an operator that fits a call better
    /// than the catalog's own. It would run with the admin's rights.
    static let catalogOnly: PostgresStatement = "SET LOCAL search_path TO pg_catalog, pg_temp"

    /// Ends that for statements of somebody else's, which may count on the admin's own path.
    static let ownPath: PostgresStatement = "SET LOCAL search_path TO DEFAULT"

    private static let path = local("search_path", "'pg_catalog, pg_temp'")

    private static func local(_ setting: String, _ value: String) -> String {
        "pg_catalog.set_config('\(setting)', \(value), true)"
    }

    /// Limits how long the rest of the transaction waits for a lock.
    static func wait(atMost most: Duration) -> PostgresStatement {
        PostgresStatement("SELECT \(waiting(atMost: most))", isRepeated: true)
    }

    private static func waiting(atMost most: Duration) -> String {
        local("lock_timeout", "'\(max(1, Int64(most / .milliseconds(1))))ms'")
    }

    /// Has the rest of the transaction see the catalog alone, and find comments and dependencies by their indexes.
    ///
    /// The server keeps the plans of repeated statements. One that was made while there were few roles would read the whole
    /// catalog when there are many.
    static let seek = PostgresStatement("SELECT \(path), \(seeking)", isRepeated: true)

    private static let seeking = local("enable_seqscan", "'off'")

    /// Keeps other transactions of ours that change rights in this database out until the end of this one.
    ///
    /// Rights on one object are one row of the catalog: two transactions that change it at once fail with *tuple concurrently
    /// updated*. Whoever waits for it waits for others to finish their work: for as long as there is time.
    static let lockRights = PostgresStatement(
        "SELECT \(local("lock_timeout", "'0'")), pg_catalog.pg_advisory_xact_lock(\(rightsKey))",
        isRepeated: true
    )

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
            FROM unnest($1::text[], $2::text[]) AS t(name, tag) WHERE \(bearsTag)
            """,
            [array(roles.map(\.name)), array(roles.map(\.tag)), "\(roles.count)"],
            isRepeated: true
        )
    }

    /// Fails with `22012` when one of these roles owns something that might be wanted.
    static func requireNothingOwned(by oids: [String]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT 1 / (count(*) = 0)::int FROM pg_catalog.pg_shdepend d
            WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = ANY ($1::oid[]) AND \(isOwned)
            """,
            ["{\(oids.joined(separator: ","))}"],
            isRepeated: true
        )
    }

    /// Whether a dependency `d` is that of an object on its owner.
    ///
    /// A default privilege that a role set for itself counts as owned, and so does its mapping to a foreign server. They are
    /// nothing that anybody wants to keep, and cannot be given to another role.
    static let isOwned = """
        d.deptype = 'o' AND d.classid <> 'pg_catalog.pg_default_acl'::regclass
        AND d.classid <> 'pg_catalog.pg_user_mapping'::regclass
        """

    /// Whether the comment of `t.name` begins with `t.tag`; not true when either is missing.
    private static let bearsTag = """
        (SELECT starts_with(d.description, t.tag) FROM pg_catalog.pg_shdescription d
        WHERE d.objoid = to_regrole(quote_ident(t.name)) AND d.classoid = 'pg_catalog.pg_authid'::regclass)
        """

    /// Fails with `22012` unless all of these roles are there, bear these tags, may not log in, have no session and hold
    /// nothing; keeps their numbers for ``endStragglers``.
    ///
    /// A transaction sees the sessions as they were when it looked first, unless it forgets them.
    static func requireEnded(_ roles: [(name: String, tag: String)]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT 1 / (count(*) FILTER (WHERE NOT n.login) = $3::bigint AND coalesce(sum(\(sessions(of: "n.oid"))), 0) = 0
                    AND NOT bool_or(EXISTS (SELECT FROM pg_catalog.pg_shdepend d
                        WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = n.oid)))::int,
                set_config('leasekit.ended', '{' || string_agg(n.oid::text, ',') || '}', true),
                pg_stat_clear_snapshot()
            FROM (SELECT to_regrole(quote_ident(t.name))::oid AS oid,
                    (SELECT r.rolcanlogin FROM pg_catalog.pg_roles r WHERE r.rolname = t.name::name) AS login
                FROM unnest($1::text[], $2::text[]) AS t(name, tag) WHERE \(bearsTag)) n
            """,
            [array(roles.map(\.name)), array(roles.map(\.tag)), "\(roles.count)"],
            isRepeated: true
        )
    }

    /// Ends the sessions of those that ``requireEnded(_:)`` found: also of a role that is gone in this very transaction.
    static let endStragglers = PostgresStatement(
        terminations(of: "current_setting('leasekit.ended')::oid[]"),
        isRepeated: true
    )

    /// Ends the sessions of roles by their numbers.
    static func endSessions(of oids: [String]) -> PostgresStatement {
        PostgresStatement(
            terminations(of: "$1::oid[]"),
            ["{\(oids.joined(separator: ","))}"],
            isRepeated: true
        )
    }

    /// How many sessions a role has.
    ///
    /// `pg_stat_activity` tells a lot more of each, and costs a hundred times as much.
    static func sessions(of oid: String) -> String {
        "(SELECT count(*) FROM pg_stat_get_backend_idset() AS b WHERE pg_stat_get_backend_userid(b) = \(oid))"
    }

    private static func terminations(of oids: String) -> String {
        """
        SELECT count(pg_terminate_backend(pg_stat_get_backend_pid(b))) FROM pg_stat_get_backend_idset() AS b
        WHERE pg_stat_get_backend_userid(b) = ANY (\(oids))
        """
    }

    /// Fails with `22012` when the server's clock is past an instant; answers with the clock otherwise.
    static func require(before instant: String) -> PostgresStatement {
        PostgresStatement(
            "SELECT 1 / (clock_timestamp() < $1::timestamptz)::int, \(ServerClock.column)",
            [instant],
            isRepeated: true
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
