// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKitPostgres

/// One statement of the baseline.
struct RawStatement {
    let text: String
    var parameters: [String] = []
    /// Its name, for one whose text is always the same.
    var name: String?

    /// The whole as one text, for a plain query.
    var inlined: String {
        var result = text
        for (place, value) in parameters.enumerated().reversed() {
            result = result.replacingOccurrences(of: "$\(place + 1)", with: "'\(value)'")
        }
        return result
    }
}

/// The statements that LeaseKit sends for one user, word by word, as a program would that talks to libpq itself.
struct RawScript: Sendable {
    let iterations: Int
    /// So that two scripts make no users of the same name.
    private let run = UInt32.random(in: 0 ... .max)
    private let cheap: String

    init(iterations: Int) {
        self.iterations = iterations
        cheap = BenchServer.makeVerifier(iterations: 1)
    }

    /// The transactions of one operation, all of them in one round trip.
    func statements(_ operation: Operation, _ number: Int) -> [[RawStatement]] {
        let name = "raw_\(run)_\(number)"
        let tag = "leasekit/1 0123456789abcdef \(name) "
        switch operation {
        case .issue:
            // Made anew for each user, as an application has to.
            let verifier = iterations == 1 ? cheap : BenchServer.makeVerifier(iterations: iterations)
            return [
                [
                    lock(number, seeks: false),
                    RawStatement(
                        text:
                            "CREATE ROLE \"\(name)\" LOGIN PASSWORD '\(verifier)' VALID UNTIL '2100-01-01' IN ROLE readers"
                    ),
                    RawStatement(
                        text: "COMMENT ON ROLE \"\(name)\" IS '\(tag)epoch=1 role=app made=1790000000000000000'"
                    ),
                    RawStatement(
                        text: "SELECT 1 / (clock_timestamp() < $1::timestamptz)::int, \(clock)",
                        parameters: ["2100-01-01"],
                        name: "before"
                    ),
                ]
            ]
        case .renew:
            return [
                [
                    RawStatement(text: "SELECT \(path), \(seeking)", name: "seek"),
                    RawStatement(
                        text: """
                            SELECT 1 / (count(*) = 1 AND clock_timestamp() < $3::timestamptz)::int, \(clock)
                            FROM pg_catalog.pg_shdescription d
                            WHERE d.objoid = to_regrole(quote_ident($1)) AND d.classoid = 'pg_catalog.pg_authid'::regclass
                                AND starts_with(d.description, $2)
                            """,
                        parameters: [name, tag, "2100-01-01"],
                        name: "ours"
                    ),
                    RawStatement(text: "ALTER ROLE \"\(name)\" VALID UNTIL '2101-01-01'"),
                ]
            ]
        case .revoke:
            return [
                [
                    lock(number, seeks: true), requireOurs(name, tag),
                    RawStatement(text: "ALTER ROLE \"\(name)\" NOLOGIN VALID UNTIL '-infinity'"), findings(name),
                ],
                [
                    lock(number, seeks: true), requireEnded(name, tag), RawStatement(text: "DROP ROLE \"\(name)\""),
                    RawStatement(
                        text: """
                            SELECT count(pg_terminate_backend(pg_stat_get_backend_pid(b)))
                            FROM pg_stat_get_backend_idset() AS b
                            WHERE pg_stat_get_backend_userid(b) = ANY (current_setting('leasekit.ended')::oid[])
                            """,
                        name: "stragglers"
                    ),
                ],
            ]
        }
    }

    private let clock = "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint::text"

    private let path = "pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)"

    private let seeking = "pg_catalog.set_config('enable_seqscan', 'off', true)"

    private func lock(_ number: Int, seeks: Bool) -> RawStatement {
        let more = seeks ? ", \(seeking), pg_catalog.set_config('lock_timeout', '5000ms', true)" : ""
        return RawStatement(
            text: """
                SELECT pg_catalog.set_config('application_name', $1, true), \(path)\(more),
                    pg_catalog.pg_advisory_xact_lock($2::bigint)
                """,
            parameters: ["leasekit/0123456789abcdef/1", "\(number)"],
            name: seeks ? "lock_seeking" : "lock"
        )
    }

    private let bearsTag = """
        (SELECT starts_with(d.description, t.tag) FROM pg_catalog.pg_shdescription d
        WHERE d.objoid = to_regrole(quote_ident(t.name)) AND d.classoid = 'pg_catalog.pg_authid'::regclass)
        """

    private let sessions =
        "(SELECT count(*) FROM pg_stat_get_backend_idset() AS b WHERE pg_stat_get_backend_userid(b) = n.oid)"

    private func requireOurs(_ name: String, _ tag: String) -> RawStatement {
        RawStatement(
            text: """
                SELECT 1 / (count(*) = $3::bigint)::int FROM unnest($1::text[], $2::text[]) AS t(name, tag) WHERE \(bearsTag)
                """,
            parameters: ["{\"\(name)\"}", "{\"\(tag)\"}", "1"],
            name: "all_ours"
        )
    }

    private func requireEnded(_ name: String, _ tag: String) -> RawStatement {
        RawStatement(
            text: """
                SELECT 1 / (count(*) FILTER (WHERE NOT n.login) = $3::bigint AND coalesce(sum(\(sessions)), 0) = 0
                        AND NOT bool_or(EXISTS (SELECT FROM pg_catalog.pg_shdepend d
                            WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = n.oid)))::int,
                    set_config('leasekit.ended', '{' || string_agg(n.oid::text, ',') || '}', true),
                    pg_stat_clear_snapshot()
                FROM (SELECT to_regrole(quote_ident(t.name))::oid AS oid,
                        (SELECT r.rolcanlogin FROM pg_catalog.pg_roles r WHERE r.rolname = t.name::name) AS login
                    FROM unnest($1::text[], $2::text[]) AS t(name, tag) WHERE \(bearsTag)) n
                """,
            parameters: ["{\"\(name)\"}", "{\"\(tag)\"}", "1"],
            name: "all_ended"
        )
    }

    private func findings(_ name: String) -> RawStatement {
        RawStatement(
            text: """
                SELECT n.name, n.oid::text, \(sessions), h.dbid IS NOT NULL,
                    (SELECT b.datname FROM pg_catalog.pg_database b WHERE b.oid = h.dbid), h.owns
                FROM (SELECT u.name, to_regrole(quote_ident(u.name))::oid AS oid FROM unnest($1::text[]) AS u(name)) n
                LEFT JOIN LATERAL (
                    SELECT d.dbid, bool_or(d.deptype = 'o' AND d.classid <> 'pg_catalog.pg_default_acl'::regclass
                        AND d.classid <> 'pg_catalog.pg_user_mapping'::regclass) AS owns
                    FROM pg_catalog.pg_shdepend d
                    WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = n.oid GROUP BY d.dbid
                ) h ON true
                WHERE n.oid IS NOT NULL
                """,
            parameters: ["{\"\(name)\"}"],
            name: "findings"
        )
    }
}
