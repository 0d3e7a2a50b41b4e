// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is known of the server, and of what the admin may do there.
struct ServerFacts: Hashable, Sendable {
    /// Such as 160002.
    let version: Int
    let admin: String
    let database: String
    let isSuperuser: Bool
    let canCreateRoles: Bool
    /// Whether it has the rights of roles that it joins.
    let inherits: Bool
    /// Whether it may end sessions of others.
    let canSignal: Bool
    let isInRecovery: Bool

    /// Since 16, CREATEROLE reaches only roles that one has made, or has the ADMIN option on.
    var hasNarrowCreateRole: Bool { version >= 160_000 }
    /// Whether joining a role would not let it act for that one: from 16 on each membership says so itself.
    var cannotActForOthers: Bool { !isSuperuser && !inherits && !hasNarrowCreateRole }
    /// Whether privileges of settings exist.
    var hasParameterPrivileges: Bool { version >= 150_000 }

    static let question = PostgresStatement(
        """
        SELECT current_setting('server_version_num'), current_user, current_database(), r.rolsuper, r.rolcreaterole,
            r.rolsuper OR pg_has_role(r.oid, 'pg_signal_backend', 'USAGE'), pg_is_in_recovery(), r.rolinherit,
            \(ServerClock.column)
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
        """
    )

    init?(_ result: PostgresResult) {
        guard let row = result.rows.first, row.count == 9, let version = row[0].flatMap(Int.init) else { return nil }
        self.version = version
        admin = row[1] ?? ""
        database = row[2] ?? ""
        isSuperuser = row[3] == "t"
        canCreateRoles = row[4] == "t"
        canSignal = row[5] == "t"
        isInRecovery = row[6] == "t"
        inherits = row[7] == "t"
    }
}
