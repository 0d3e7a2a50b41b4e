// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension PostgresBackend {
    /// Finds out whether the admin can make and end credentials of every role, before the first one is made.
    ///
    /// Beside reading the catalog it tries: a user of each role is made, cleaned up after and dropped in one transaction that is
    /// undone. What the admin lacks for the end of a credential shows now, and not when it is to be ended.
    ///
    /// - Throws: `BackendFailure` when the server cannot be reached.
    public func preflight(timeout: Duration = .seconds(30)) async throws -> PreflightReport {
        let times = CallTimes(preflightCall(timeout), at: time.read())
        return try await classified {
            let facts = try await learn(times)
            var findings = Self.general(facts)
            if findings.contains(where: \.isBlocking) { return PreflightReport(findings: findings) }
            for role in allRoles {
                let check = RolePreflight(backend: self, role: role, facts: facts, times: times)
                findings += try await check.findings()
            }
            return PreflightReport(findings: findings.filter(\.isBlocking) + findings.filter { !$0.isBlocking })
        }
    }

    /// Checks a role before its first issue: what would keep its users from being ended is said before there is one.
    func requireChecked(_ role: CompiledRole, _ times: CallTimes) async throws {
        guard options.checksRoles, !isChecked(role) else { return }
        try await checks.take {
            if isChecked(role) { return }
            let left = times.left(at: time.read().continuous)
            let trial = CallTimes(preflightCall(left), at: time.read())
            let facts = try await facts(trial).facts
            let findings: [PreflightReport.Finding]
            do {
                findings = try await RolePreflight(backend: self, role: role, facts: facts, times: trial).findings()
            } catch let error as PostgresError where error.scope == .lease {
                // It says nothing about the admin's rights; the issue itself tells what is wrong.
                return
            }
            let blocking = findings.filter(\.isBlocking)
            if !blocking.isEmpty {
                let sentences = blocking.map(\.description).joined(separator: "; ")
                throw BackendFailure(.denied, code: "preflight", "nothing was made: \(sentences)")
            }
            known.withLock { _ = $0.checkedRoles.insert(role.name) }
        }
    }

    private func isChecked(_ role: CompiledRole) -> Bool {
        known.withLock { $0.checkedRoles.contains(role.name) }
    }

    private func preflightCall(_ timeout: Duration) -> BackendCall {
        let now = time.read().wall
        let id = LeaseID.random()
        return BackendCall(
            id: id,
            path: "preflight",
            rolePath: "",
            mark: LeaseMark(deployment: "preflight", lease: id, epoch: 0),
            now: now,
            expiresAt: now + .seconds(60),
            deadline: now + timeout
        )
    }

    /// What concerns all roles.
    private static func general(_ facts: ServerFacts) -> [PreflightReport.Finding] {
        var findings: [PreflightReport.Finding] = []
        func block(_ message: String, _ remedy: String? = nil) {
            findings.append(.init(role: nil, isBlocking: true, message: message, remedy: remedy))
        }
        let admin = SQLQuoting.name(facts.admin)
        if facts.version < 140_000 { block("the server is older than PostgreSQL 14, which LeaseKit was not made for") }
        if facts.isInRecovery { block("the server is a standby, which takes no changes; connect to the primary") }
        if !facts.isSuperuser, !facts.canCreateRoles {
            block("the admin \(facts.admin) may not make roles", "ALTER ROLE \(admin) CREATEROLE")
        }
        if !facts.canSignal {
            findings.append(
                .init(
                    role: nil,
                    isBlocking: false,
                    message:
                        "the admin \(facts.admin) can end sessions of its users while they are there, but not one that "
                        + "slipped in while its user was being dropped; such a session has no rights, and stays open",
                    remedy: "GRANT pg_signal_backend TO \(admin)"
                )
            )
        }
        if facts.isSuperuser {
            findings.append(
                .init(
                    role: nil,
                    isBlocking: false,
                    message: "the admin \(facts.admin) is a superuser; a role with CREATEROLE alone can do less harm",
                    remedy: nil
                )
            )
        }
        return findings
    }
}

/// Looks at one role.
private struct RolePreflight {
    typealias Finding = PreflightReport.Finding

    let backend: PostgresBackend
    let role: CompiledRole
    let facts: ServerFacts
    let times: CallTimes

    private var admin: String { SQLQuoting.name(facts.admin) }

    private func finding(_ message: String, _ remedy: String? = nil, isBlocking: Bool = true) -> Finding {
        Finding(role: role.name, isBlocking: isBlocking, message: message, remedy: remedy)
    }

    func findings() async throws -> [Finding] {
        var findings: [Finding] = []
        for group in role.groups { findings += try await target(group, "group") }
        if case .reassign(let owner) = role.role.ownedObjects.value { findings += try await target(owner, "new owner") }
        for database in role.role.databases { findings += try await entry(to: database) }
        // With a group missing, the trial would only say the same in other words.
        if findings.isEmpty { findings += try await trial() }
        if role.grantsOnObjects {
            findings.append(
                finding(
                    "its statements give rights on objects to each user, and an object bears no more than about 2,400 of them; "
                        + "give the rights to a group once, and use memberOf(_:)",
                    isBlocking: false
                )
            )
        }
        return findings
    }

    /// A role that the admin gives, or gives objects to: it is there, and the admin may.
    private func target(_ name: String, _ what: String) async throws -> [Finding] {
        // Before 16 CREATEROLE was enough for every role but superusers.
        let mayGive = "pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')"
        // What goes to a new owner may also come from one of its members.
        let narrow = what == "group" ? mayGive : "\(mayGive) OR pg_has_role(r.oid, 'USAGE')"
        let right = facts.hasNarrowCreateRole ? narrow : "NOT r.rolsuper"
        let question = PostgresStatement(
            "SELECT (\(right)) OR $2::boolean FROM pg_catalog.pg_roles r WHERE r.rolname = $1::name",
            [name, facts.isSuperuser ? "t" : "f"]
        )
        let answer = try await backend.session(times) { try await $0.run([question])[0].first }
        let quoted = SQLQuoting.name(name)
        switch answer {
        case nil: return [finding("its \(what) \(name) is not there", "CREATE ROLE \(quoted) NOLOGIN")]
        case "t"?: return []
        default:
            if !facts.hasNarrowCreateRole {
                return [finding("its \(what) \(name) is a superuser, which the admin may not give; take another one")]
            }
            let remedy = "GRANT \(quoted) TO \(admin) WITH ADMIN OPTION"
            return [finding("the admin may not give its \(what) \(name)", remedy)]
        }
    }

    /// A database that credentials will hold something in.
    private func entry(to database: String) async throws -> [Finding] {
        do {
            _ = try await backend.session(times, database: database == facts.database ? nil : database) {
                try await $0.run([PostgresStatement("SELECT 1")])
            }
            return []
        } catch let error as PostgresError where error.kind == .denied {
            let remedy = "GRANT CONNECT ON DATABASE \(SQLQuoting.name(database)) TO \(admin)"
            let message = "the admin cannot get into database \(database) (\(error.code)), and so not clean it"
            return [finding(message, remedy)]
        }
    }

    /// Makes a user, cleans up after it and drops it, all in a transaction that is undone.
    private func trial() async throws -> [Finding] {
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
        let user = SQLQuoting.name(name)
        let revoking = role.plan.statements(for: name).map { PostgresStatement($0) }
        var cleaning = facts.isSuperuser ? [] : [joining(user)]
        if !role.creation.isEmpty { cleaning.append(PostgresStatement("DROP OWNED BY \(user)")) }
        let phases: [(what: String, statements: [PostgresStatement])] = [
            ("made", making), ("cleaned up after by its own statements", revoking), ("cleaned up after", cleaning),
            ("dropped", [PostgresStatement("DROP ROLE \(user)")]),
        ]
        return try await backend.session(times) { session in
            _ = try await session.run([PostgresStatement("BEGIN")])
            var findings: [Finding] = []
            for phase in phases where findings.isEmpty {
                do {
                    _ = try await session.run([PostgresStatement("SAVEPOINT phase")] + phase.statements)
                } catch let error as PostgresError {
                    guard error.scope == .lease, error.kind != .ambiguous else { throw error }
                    // Its own statements are free to be incomplete: LeaseKit cleans up what they leave.
                    if phase.what == phases[1].what {
                        _ = try await session.run([PostgresStatement("ROLLBACK TO SAVEPOINT phase")])
                        continue
                    }
                    let place = error.statement.map { ", statement \($0)" } ?? ""
                    findings.append(
                        finding("its users cannot be \(phase.what): \(error.code)\(place), \(error.message)")
                    )
                }
            }
            _ = try await session.run([PostgresStatement("ROLLBACK")])
            return findings
        }
    }

    private func joining(_ user: String) -> PostgresStatement {
        let options = facts.hasNarrowCreateRole ? " WITH INHERIT TRUE, SET TRUE" : ""
        return PostgresStatement("GRANT \(user) TO CURRENT_USER\(options)")
    }
}
