// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension RolePreflight {
    /// Makes a user, cleans up after it and drops it, all in a transaction that is undone.
    func trial() async throws -> [Finding] {
        let call = times.call
        let name = role.role.userName.name(of: call.id, role: role.name, label: "preflight")
        let script = CreationScript(
            name: name,
            role: role,
            tag: RoleTag(mark: call.mark, role: role.name, madeAt: nil, until: nil),
            verifier: try backend.passwords.take(for: role.role).verifier,
            validUntil: call.expiresAt,
            deadline: call.deadline,
            application: PostgresBackend.application(of: call)
        )
        let making: [PostgresStatement]
        do { making = try script.making() } catch {
            return [finding("its statements cannot be written: \(error)")]
        }
        return try await backend.session(times) { session in
            _ = try await session.run([PostgresStatement("BEGIN")])
            let finding = try await live(name, making, session)
            _ = try await session.run([PostgresStatement("ROLLBACK")])
            return finding.map { [$0] } ?? []
        }
    }

    /// A user's whole life; answers the first thing that is in its way.
    private func live(
        _ name: String,
        _ making: [PostgresStatement],
        _ session: any PostgresSession
    ) async throws -> Finding? {
        let user = SQLQuoting.name(name)
        if let finding = try await step("made", making, session) { return finding }
        // Its own statements are free to be incomplete: LeaseKit cleans up what they leave.
        let revoking = role.plan.statements(for: name).map { PostgresStatement($0) }
        if try await step("ended by its own statements", revoking, session) != nil {
            _ = try await session.run([PostgresStatement("ROLLBACK TO SAVEPOINT step")])
        }
        let question = PostgresStatement(
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_shdepend d
                WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = r.oid AND \(SQLTexts.isOwned))
            FROM pg_catalog.pg_roles r WHERE r.rolname = $1::name
            """,
            [name]
        )
        let seen = try await session.run([SQLTexts.catalogOnly, question, SQLTexts.ownPath])[1]
        // Its own statements have dropped it.
        guard let owns = seen.first else { return nil }
        if owns == "t", let finding = try await handOver(user, session) { return finding }
        var cleaning = facts.isSuperuser ? [] : [joining(user)]
        if !role.creation.isEmpty { cleaning.append(PostgresStatement("DROP OWNED BY \(user)")) }
        if let finding = try await step("cleaned up after", cleaning, session) { return finding }
        return try await step("dropped", [PostgresStatement("DROP ROLE \(user)")], session)
    }

    /// What its statements make a user own is dealt with as the role wants it.
    private func handOver(_ user: String, _ session: any PostgresSession) async throws -> Finding? {
        switch role.role.ownedObjects.value {
        case .drop: return nil
        case .refuse:
            return finding(
                "its statements make objects that each user owns, and that its role says to leave, so that no user could be "
                    + "dropped: choose ownedObjects .reassign(to:) or .drop"
            )
        case .reassign(let owner):
            let reassign = PostgresStatement("REASSIGN OWNED BY \(user) TO \(SQLQuoting.name(owner))")
            let joins = facts.isSuperuser ? [] : [joining(user)]
            let what = "rid of what they own"
            if try await step(what, joins + [reassign], session) == nil { return nil }
            _ = try await session.run([PostgresStatement("ROLLBACK TO SAVEPOINT step")])
            return try await step(what, joins + [joining(SQLQuoting.name(owner)), reassign], session)
        }
    }

    /// Runs a part of the trial; a failure leaves the transaction behind its savepoint.
    private func step(
        _ what: String,
        _ statements: [PostgresStatement],
        _ session: any PostgresSession
    ) async throws -> Finding? {
        do {
            _ = try await session.run([PostgresStatement("SAVEPOINT step")] + statements)
            return nil
        } catch {
            guard error.scope == .lease, error.kind != .ambiguous else { throw error }
            let place = error.statement.map { ", statement \($0)" } ?? ""
            return finding("its users cannot be \(what): \(error.code)\(place), \(error.message)")
        }
    }

    private func joining(_ user: String) -> PostgresStatement {
        let options = facts.hasNarrowCreateRole ? " WITH INHERIT TRUE, SET TRUE" : ""
        return PostgresStatement("GRANT \(user) TO CURRENT_USER\(options)")
    }
}
