// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Takes everything in one database away from a user, in one transaction.
struct DatabaseCleaner: Sendable {
    let ender: RoleEnder
    let ending: Ending
    let oid: String
    let facts: ServerFacts

    /// Answers what stays, in words; throws what is nobody's fault.
    func clean(_ session: any PostgresSession) async throws -> [String] {
        _ = try await session.run(
            [PostgresStatement("BEGIN ISOLATION LEVEL READ COMMITTED")] + ender.guards([ending]) + [
                SQLTexts.lockRights, ender.setLockTimeout,
            ]
        )
        var trouble: [String] = []
        var borrowed: [String] = []
        if !facts.isSuperuser, let refusal = try await attempt(ender.join(ending.quoted, facts), session) {
            trouble.append("the admin cannot become a member of it (\(refusal.code))")
        }
        trouble += try await handOver(session, &borrowed)
        if !trouble.isEmpty {
            _ = try await session.run([PostgresStatement("ROLLBACK")])
            return trouble
        }
        let dropOwned = PostgresStatement("DROP OWNED BY \(ending.quoted)")
        var refused = try await attempt(dropOwned, session)
        // What others gave under a grant option of their own is theirs to take back; and what the admin may not touch is left.
        let listed = try await session.run([GrantedRights.question(of: oid, facts)])[0]
        let grants = listed.rows.compactMap(GrantedRights.init)
        for (grantor, rights) in Dictionary(grouping: grants, by: \.grantor).sorted(by: { $0.key < $1.key }) {
            if let reason = try await revoke(rights, as: grantor, session, &borrowed) { trouble.append(reason) }
        }
        if refused != nil, !grants.isEmpty { refused = try await attempt(dropOwned, session) }
        if let refused, trouble.isEmpty { trouble.append("DROP OWNED was refused (\(refused.code))") }
        for role in borrowed {
            _ = try await session.run([PostgresStatement("REVOKE \(role) FROM CURRENT_USER")])
        }
        // Also with something left: less is better than more.
        _ = try await session.run([PostgresStatement("COMMIT")])
        return trouble
    }

    // MARK: - Owned objects

    /// Deals with what the user owns, as the role wants it.
    private func handOver(_ session: any PostgresSession, _ borrowed: inout [String]) async throws -> [String] {
        let owned = try await session.run([
            PostgresStatement(
                """
                SELECT count(*) FROM pg_catalog.pg_shdepend d
                WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = $1::oid AND \(SQLTexts.isOwned)
                    AND d.dbid IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database()))
                """,
                [oid]
            )
        ])[0].first
        if owned == "0" { return [] }
        switch ending.plan.owned.value {
        case .refuse:
            return [
                "it owns objects, which its role says to leave: choose ownedObjects .reassign(to:) or .drop, or move them"
            ]
        case .drop:
            return []
        case .reassign(let owner):
            let quoted = SQLQuoting.name(owner)
            let reassign = PostgresStatement("REASSIGN OWNED BY \(ending.quoted) TO \(quoted)")
            guard let refusal = try await attempt(reassign, session) else { return [] }
            // The admin may have to be a member of the new owner, for this once.
            if try await attempt(ender.join(quoted, facts), session) == nil {
                borrowed.append(quoted)
                if try await attempt(reassign, session) == nil { return [] }
            }
            return ["what it owns cannot be given to \(owner) (\(refusal.code)); make the admin a member of \(owner)"]
        }
    }

    // MARK: - Rights

    /// Takes rights back in the place of who gave them; answers why not.
    private func revoke(
        _ rights: [GrantedRights],
        as grantor: String,
        _ session: any PostgresSession,
        _ borrowed: inout [String]
    ) async throws -> String? {
        let quoted = SQLQuoting.name(grantor)
        let statements = rights.map { $0.revocation(from: ending.quoted) }
        if grantor == facts.admin {
            for statement in statements {
                if let refusal = try await attempt(statement, session) { return refused(rights, grantor, refusal) }
            }
            return nil
        }
        let become = PostgresStatement("SET LOCAL ROLE \(quoted)")
        if let refusal = try await attempt(become, session) {
            guard !facts.isSuperuser, try await attempt(ender.join(quoted, facts), session) == nil else {
                return refused(rights, grantor, refusal)
            }
            borrowed.append(quoted)
            if let refusal = try await attempt(become, session) { return refused(rights, grantor, refusal) }
        }
        var first: PostgresError?
        for statement in statements {
            if let refusal = try await attempt(statement, session) { first = first ?? refusal }
        }
        _ = try await session.run([PostgresStatement("SET LOCAL ROLE NONE")])
        return first.map { refused(rights, grantor, $0) }
    }

    private func refused(_ rights: [GrantedRights], _ grantor: String, _ error: PostgresError) -> String {
        "the admin cannot act for \(grantor), who gave it rights on \(rights.count) objects (\(error.code)): "
            + "GRANT \(SQLQuoting.name(grantor)) TO \(SQLQuoting.name(facts.admin))"
    }

    // MARK: - Trying

    /// Tries a statement and undoes it alone when the server refuses it; throws what is no refusal.
    private func attempt(
        _ statement: PostgresStatement,
        _ session: any PostgresSession
    ) async throws(PostgresError) -> PostgresError? {
        do {
            _ = try await session.run([PostgresStatement("SAVEPOINT leasekit"), statement])
            _ = try await session.run([PostgresStatement("RELEASE SAVEPOINT leasekit")])
            return nil
        } catch {
            let isRefusal = error.kind == .denied || error.kind == .refused || error.kind == .gone
            guard isRefusal, error.scope == .lease else { throw error }
            _ = try await session.run([
                PostgresStatement("ROLLBACK TO SAVEPOINT leasekit"), PostgresStatement("RELEASE SAVEPOINT leasekit"),
            ])
            return error
        }
    }
}
