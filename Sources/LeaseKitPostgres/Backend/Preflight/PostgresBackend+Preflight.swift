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
                let check = RolePreflight(backend: self, role: role, facts: facts, times: trial)
                findings = Self.inheritance(facts) + (try await check.findings())
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

    /// Before 16 whether a member has a role's rights is the member's own affair, once and for all.
    private static func inheritance(_ facts: ServerFacts) -> [PreflightReport.Finding] {
        if !facts.cannotActForOthers { return [] }
        return [
            .init(
                role: nil,
                isBlocking: true,
                message:
                    "the admin \(facts.admin) has no rights of roles that it joins (NOINHERIT), and so can neither end "
                    + "its users' sessions nor take back what they hold",
                remedy: "ALTER ROLE \(SQLQuoting.name(facts.admin)) INHERIT"
            )
        ]
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
        findings += inheritance(facts)
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
