// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension RoleEnder {
    /// Cleans up after users and drops them.
    ///
    /// Those that hold nothing go together in one transaction; those with nothing but rights in the admin's own database a few
    /// at a time, so that a long clean-up keeps what it has done. If one of these fails its users go one by one, and the one
    /// that cannot be dropped so is cleaned up with care.
    func drop(
        _ endings: [Ending],
        _ found: Findings,
        _ facts: ServerFacts,
        _ outcomes: inout Outcomes
    ) async throws {
        let simple = endings.filter { isSimple($0, found, facts) }
        let holding = simple.filter { !(found[$0.name]?.databases.isEmpty ?? true) }
        var groups = [simple.filter { found[$0.name]?.databases.isEmpty ?? true }]
        for start in stride(from: 0, to: holding.count, by: Self.holdingAtOnce) {
            groups.append(Array(holding[start..<min(start + Self.holdingAtOnce, holding.count)]))
        }
        for group in groups where !group.isEmpty {
            let isDone = try await dropTogether(group, found, facts, &outcomes)
            if isDone || group.count == 1 { continue }
            for ending in group { try await dropTogether([ending], found, facts, &outcomes) }
        }
        for ending in endings where outcomes[ending.name] == nil {
            do {
                outcomes[ending.name] = .success(
                    try await RoleCleaner(ender: self, ending: ending, facts: facts, found: found).end()
                )
            } catch let error as PostgresError {
                outcomes[ending.name] = .failure(error.backendFailure)
            } catch let failure as BackendFailure where failure.scope == .lease {
                outcomes[ending.name] = .failure(failure)
            }
        }
    }

    /// More in one transaction were measured to be no faster: each leaves its predecessors' rows behind.
    private static let holdingAtOnce = 8

    private func isSimple(_ ending: Ending, _ found: Findings, _ facts: ServerFacts) -> Bool {
        guard let role = found[ending.name], ending.plan.statements.isEmpty else { return false }
        return !role.ownsObjects && role.databases.isSubset(of: ["", facts.database])
    }

    /// One transaction for all; false when they are better tried one by one.
    @discardableResult
    private func dropTogether(
        _ endings: [Ending],
        _ found: Findings,
        _ facts: ServerFacts,
        _ outcomes: inout Outcomes
    ) async throws -> Bool {
        let holding = endings.filter { !(found[$0.name]?.databases.isEmpty ?? true) }
        let names = { (endings: [Ending]) in endings.map(\.quoted).joined(separator: ", ") }
        var statements = guards(endings, seeks: true)
        if !holding.isEmpty {
            if !facts.isSuperuser { statements += holding.map { join($0.quoted, facts) } }
            statements += [
                SQLTexts.lockRights, setLockTimeout,
                // A session may have made something since, before it was ended.
                SQLTexts.requireNothingOwned(
                    by: holding.filter { $0.plan.owned != .drop }.compactMap { found[$0.name]?.oid }
                ),
                PostgresStatement("DROP OWNED BY \(names(holding))"),
            ]
        }
        statements.append(PostgresStatement("DROP ROLE \(names(endings))"))
        statements += stragglers(endings, found, facts)
        var attempt = 0
        while true {
            attempt += 1
            do {
                try await backend.session(times) { [statements] in _ = try await $0.transaction(statements) }
                for ending in endings { outcomes[ending.name] = .success(.revoked) }
                return true
            } catch let error as PostgresError {
                if error.sqlState == .lockNotAvailable {
                    // Somebody else is at one of them, and takes long.
                    if endings.count > 1 { return false }
                    for ending in endings { outcomes[ending.name] = .failure(error.backendFailure) }
                    return true
                }
                if error.kind == .conflict, try await backend.pause(before: attempt, times) { continue }
                // What is about the server as a whole, or of unclear outcome, is not the roles' doing.
                if error.scope == .target || error.kind == .ambiguous || error.kind == .transient { throw error }
                return false
            }
        }
    }

    /// Behind the locks of our own: these may take as long as the call has time.
    var setLockTimeout: PostgresStatement { SQLTexts.wait(atMost: backend.options.lockTimeout) }

    /// Ends sessions that came in while the door was being shut: their login was checked before `NOLOGIN` was there, a round
    /// trip ago at least, and they were not listed yet.
    ///
    /// Only who may end sessions of anybody can end those of a role that is being dropped.
    func stragglers(_ endings: [Ending], _ found: Findings, _ facts: ServerFacts) -> [PostgresStatement] {
        let oids = endings.compactMap { found[$0.name]?.oid }
        guard facts.canSignal, !oids.isEmpty else { return [] }
        return [SQLTexts.endSessions(of: oids)]
    }
}
