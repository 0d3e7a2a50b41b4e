// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Ends some users of one server, and says of each what became of it.
struct RoleEnder: Sendable {
    let backend: PostgresBackend
    let times: CallTimes

    typealias Outcomes = [String: Result<RevocationOutcome, any Error>]

    func end(_ endings: [Ending]) async -> Outcomes {
        var outcomes: Outcomes = [:]
        do {
            try await backend.classified {
                let facts = try await backend.facts(times).facts
                try await backend.endForerunners(of: times.call, times, facts)
                let found = try await disable(endings, facts, &outcomes)
                let disabled = endings.filter { outcomes[$0.name] == nil }
                if disabled.isEmpty { return }
                try await expel(disabled, found, facts)
                await runStatements(of: disabled)
                try await drop(disabled, found, facts, &outcomes)
            }
        } catch {
            let left = endings.filter { outcomes[$0.name] == nil }
            guard endings.count > 1, Self.isAboutOne(error) else {
                for ending in left { outcomes[ending.name] = .failure(error) }
                return outcomes
            }
            // One of them is at fault, and the server does not say which.
            for ending in left { outcomes.merge(await end([ending])) { _, new in new } }
        }
        return outcomes
    }

    /// Whether a failure may be one role's alone.
    private static func isAboutOne(_ error: any Error) -> Bool {
        guard let failure = error as? BackendFailure else { return false }
        let isLocked = failure.code == SQLState.lockNotAvailable.description
        return failure.scope == .lease && (isLocked || failure.kind != .transient && failure.kind != .ambiguous)
    }

    // MARK: - Nobody gets in any more

    /// Takes the right to log in away from those that bear our mark, and learns what has to be cleaned.
    ///
    /// In the same round trip those are dropped that have no session and hold nothing: most of them. They have their outcome
    /// afterwards, and so have those that are not there, and those that are not ours.
    private func disable(
        _ endings: [Ending],
        _ facts: ServerFacts,
        _ outcomes: inout Outcomes
    ) async throws -> Findings {
        var attempt = 0
        var isHeldUp = false
        while true {
            attempt += 1
            let left = endings.filter { outcomes[$0.name] == nil }
            if left.isEmpty { return Findings() }
            let statements =
                (isHeldUp ? guardsWithoutLock(left) : guards(left, seeks: true))
                + left.map { PostgresStatement("ALTER ROLE \($0.quoted) NOLOGIN VALID UNTIL '-infinity'") }
                + [Findings.question(about: left.map(\.name))]
            var transactions = [statements]
            if left.allSatisfy(\.plan.statements.isEmpty) { transactions.append(quickDrop(left, facts)) }
            do {
                let answers = try await backend.session(times) { [transactions] in await $0.transactions(transactions) }
                let results = try answers[0].get()
                if answers.count > 1 {
                    switch answers[1] {
                    case .success: for ending in left { outcomes[ending.name] = .success(.revoked) }
                    case .failure(let error):
                        if error.scope == .target || error.kind == .ambiguous { throw error }
                    }
                }
                return results.last.map(Findings.init) ?? Findings()
            } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
                if isHeldUp { throw error }
                isHeldUp = true
                await evict(left, facts)
            } catch let error as PostgresError where error.kind == .conflict {
                guard try await backend.pause(before: attempt, times) else { throw error }
            } catch let error as PostgresError where error.sqlState == SQLTexts.refusal || error.kind == .gone {
                guard attempt < 8 else { throw error }
                try await sort(left, &outcomes)
            }
        }
    }

    /// Drops roles that may not log in any more, if there is nothing else to be done for them; fails with `22012` otherwise.
    private func quickDrop(_ endings: [Ending], _ facts: ServerFacts) -> [PostgresStatement] {
        let names = endings.map(\.quoted).joined(separator: ", ")
        return [
            lock(endings, seeks: true), SQLTexts.requireEnded(endings.map { ($0.name, $0.tag) }),
            PostgresStatement("DROP ROLE \(names)"),
        ] + (facts.canSignal ? [SQLTexts.endStragglers] : [])
    }

    /// What every transaction begins with: nobody else is at these roles, and they are ours.
    ///
    /// - Parameter seeks: Whether no statement of somebody else's follows, see `SQLTexts.seek`.
    func guards(_ endings: [Ending], seeks: Bool = false) -> [PostgresStatement] {
        var ours = SQLTexts.requireOurs(endings.map { ($0.name, $0.tag) })
        ours.isRepeated = seeks
        return [lock(endings, seeks: seeks), ours]
    }

    private func lock(_ endings: [Ending], seeks: Bool) -> PostgresStatement {
        let application = PostgresBackend.application(of: times.call)
        return SQLTexts.lock(
            endings.map(\.name),
            as: application,
            seeks: seeks,
            patience: backend.options.lockTimeout
        )
    }

    /// The guards of who cannot have the lock: anybody at the server may take it, and a user may be interested.
    ///
    /// To lock roles out that are there it is not needed.
    private func guardsWithoutLock(_ endings: [Ending]) -> [PostgresStatement] {
        [
            SQLTexts.mark(as: PostgresBackend.application(of: times.call)), setLockTimeout,
            SQLTexts.requireOurs(endings.map { ($0.name, $0.tag) }),
        ]
    }

    /// Gives those an outcome that are not there, or are not ours.
    private func sort(_ endings: [Ending], _ outcomes: inout Outcomes) async throws {
        let seen = try await backend.see(endings.map(\.name), times)
        for ending in endings {
            guard let comment = seen[ending.name] else {
                // Its lock was free: no transaction that makes it runs, and none can begin after the deadline.
                outcomes[ending.name] = .success(ending.isSettled ? .provenGone : .alreadyGone)
                continue
            }
            if !comment.hasPrefix(ending.tag) { outcomes[ending.name] = .success(.notOurs) }
        }
    }

    // MARK: - Nobody stays in

    /// Ends the sessions that were open.
    ///
    /// One that takes its time over it has been told, and holds nobody up.
    private func expel(_ endings: [Ending], _ found: Findings, _ facts: ServerFacts) async throws {
        let inside = endings.filter { found.hasSessions($0.name) }
        if inside.isEmpty { return }
        var statements: [PostgresStatement] = []
        if !facts.canSignal { statements += inside.map { join($0.quoted, facts) } }
        statements += Self.terminations(of: inside.map(\.name))
        let outcomes = try await backend.session(times) { [statements] in await $0.attempt(statements) }
        // An admin that may not end them leaves the lease stuck: what is left open is not to go unseen.
        _ = try outcomes.last?.get()
    }

    /// Ends the sessions of users that cannot be locked out because something is locked: perhaps by themselves.
    ///
    /// Every user may change its own password, and until that transaction is over nobody else can change anything about it.
    private func evict(_ endings: [Ending], _ facts: ServerFacts) async {
        for ending in endings {
            var statements = guardsWithoutLock([ending])
            if !facts.canSignal { statements.append(join(ending.quoted, facts)) }
            statements.append(contentsOf: Self.terminations(of: [ending.name]).prefix(1))
            _ = try? await backend.session(times) { [statements] in try await $0.transaction(statements) }
        }
    }

    /// Asks all sessions to end, then waits until they have, about two seconds at most for all of them.
    private static func terminations(of names: [String]) -> [PostgresStatement] {
        let these = """
            FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
            WHERE r.rolname = ANY ($1::name[]) AND a.pid <> pg_catalog.pg_backend_pid()
            """
        let left = """
            greatest(1, 2000 - (extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp())
                * 1000.0)::bigint)
            """
        let parameter = SQLTexts.array(names)
        return [
            PostgresStatement("SELECT count(pg_catalog.pg_terminate_backend(a.pid)) \(these)", [parameter]),
            PostgresStatement(
                "SELECT count(*) FILTER (WHERE NOT pg_catalog.pg_terminate_backend(a.pid, \(left))) \(these)",
                [parameter]
            ),
        ]
    }

    /// Makes the admin a member of a role, so that it may act in its place.
    func join(_ quoted: String, _ facts: ServerFacts) -> PostgresStatement {
        let options = facts.hasNarrowCreateRole ? " WITH INHERIT TRUE, SET TRUE" : ""
        return PostgresStatement("GRANT \(quoted) TO CURRENT_USER\(options)")
    }

    /// Runs what roles want done before the end.
    ///
    /// A failure is left to what follows, which cleans up whatever is still there.
    private func runStatements(of endings: [Ending]) async {
        for ending in endings {
            let statements = ending.plan.statements(for: ending.name)
            if statements.isEmpty { continue }
            let all =
                guards([ending]) + [SQLTexts.lockRights, setLockTimeout, SQLTexts.ownPath]
                + statements.map { PostgresStatement($0) }
            _ = try? await backend.session(times) { try await $0.transaction(all) }
        }
    }
}
