// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Cleans up after one user in every database that the catalog names, and drops it.
///
/// For users that cannot be dropped in one go: what they own is to be kept, they hold something elsewhere, or their rights
/// were given by somebody else than the admin acts for.
struct RoleCleaner: Sendable {
    let ender: RoleEnder
    let ending: Ending
    let facts: ServerFacts
    /// What was found when it was locked out.
    let found: Findings

    private var backend: PostgresBackend { ender.backend }
    private var times: CallTimes { ender.times }

    func end() async throws -> RevocationOutcome {
        var trouble: [String] = []
        // Something may be given to it while it is cleaned up: then once more.
        for _ in 0..<3 {
            let state = try await look()
            guard let oid = state.oid else { return try await gone() }
            trouble = []
            for database in databases(of: state) { trouble += try await clean(database, oid) }
            if !trouble.isEmpty { break }
            do {
                let statements =
                    ender.guards([ending], seeks: true) + [PostgresStatement("DROP ROLE \(ending.quoted)")]
                    + ender.stragglers([ending], state.findings, facts)
                try await backend.session(times) { _ = try await $0.transaction(statements) }
                return .revoked
            } catch let error as PostgresError {
                switch error {
                case _ where error.sqlState == SQLTexts.refusal: continue
                // Others of the batch are not to wait for it.
                case _ where error.sqlState == .lockNotAvailable: throw error
                case _ where error.kind == .conflict, _ where error.sqlState == .dependentObjects:
                    guard try await backend.pause(before: 1, times) else { throw error }
                default: throw error
                }
            }
        }
        throw try await stuck(trouble)
    }

    /// It was there when it was locked out: the role's own statements have dropped it, or somebody else has meanwhile.
    private func gone() async throws -> RevocationOutcome {
        if ending.plan.statements.isEmpty { return .alreadyGone }
        let last = ender.stragglers([ending], found, facts)
        if !last.isEmpty { try await backend.session(times) { _ = try await $0.transaction(last) } }
        return .revoked
    }

    // MARK: - What there is

    private struct State: Sendable {
        var findings: Findings
        var oid: String?
        var databases: Set<String>
    }

    private func look() async throws -> State {
        let questions = ender.guards([ending], seeks: true).prefix(1) + [Findings.question(about: [ending.name])]
        let results = try await backend.session(times) { try await $0.transaction(Array(questions)) }
        let findings = Findings(results[1])
        let role = findings[ending.name]
        return State(findings: findings, oid: role?.oid, databases: role?.databases ?? [])
    }

    /// The databases to go to; what all share is cleaned in whichever comes first.
    private func databases(of state: State) -> [String] {
        let named = state.databases.subtracting([""]).sorted()
        return named.isEmpty && state.databases.contains("") ? [facts.database] : named
    }

    /// The admin's own database is the client's.
    private func place(_ database: String) -> String? { database == facts.database ? nil : database }

    // MARK: - Cleaning

    /// Cleans one database; answers what stays, in words.
    private func clean(_ database: String, _ oid: String) async throws -> [String] {
        let worker = DatabaseCleaner(ender: ender, ending: ending, oid: oid, facts: facts)
        var attempt = 0
        while true {
            attempt += 1
            do {
                return try await backend.session(times, database: place(database)) { try await worker.clean($0) }
            } catch let error as PostgresError where error.kind == .conflict && error.sqlState != .lockNotAvailable {
                guard try await backend.pause(before: attempt, times) else { throw error }
            } catch let error as PostgresError where error.scope == .target && place(database) != nil {
                // Fails when it is the server.
                _ = try await look()
                return try reasons(database, error)
            }
        }
    }

    /// Says of a database that cannot be used, at a server that can, what is to be done about it.
    private func reasons(_ database: String, _ error: PostgresError) throws(BackendFailure) -> [String] {
        switch error {
        // Dropped meanwhile, and with it what there was.
        case _ where error.sqlState == .invalidCatalogName: return []
        case _ where error.sqlState?.category == "55":
            return [
                "database \(database) takes no connections (\(error.code)): "
                    + "ALTER DATABASE \(SQLQuoting.name(database)) ALLOW_CONNECTIONS true"
            ]
        case _ where error.kind == .denied: return ["database \(database) does not let the admin in (\(error.code))"]
        default:
            let message = "database \(database), which is to be cleaned: \(error.message)"
            throw BackendFailure(.transient, code: error.code, message, underlying: error)
        }
    }

    /// Says what keeps the role.
    private func stuck(_ trouble: [String]) async throws -> BackendFailure {
        let state = try await look()
        var names: [String] = []
        for database in databases(of: state) {
            let question = Dependents.question(of: state.oid ?? "0")
            let listed = try? await backend.ask(question, times, database: place(database))
            names += listed.map { Dependents.names($0.rows, in: database) } ?? ["something in database \(database)"]
        }
        let list = Dependents.sentence(names.isEmpty ? ["something that the admin cannot see"] : names)
        let reasons = trouble.isEmpty ? "" : "; \(Dependents.sentence(trouble))"
        return BackendFailure(
            .denied,
            code: "2BP01",
            "\(ending.name) cannot log in any more, but is still needed by \(list)\(reasons)"
        )
    }
}
