// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Looks at one role.
struct RolePreflight {
    typealias Finding = PreflightReport.Finding

    let backend: PostgresBackend
    let role: CompiledRole
    let facts: ServerFacts
    let times: CallTimes

    private var admin: String { SQLQuoting.name(facts.admin) }

    func finding(_ message: String, _ remedy: String? = nil, isBlocking: Bool = true) -> Finding {
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
        let answer = try await backend.ask(question, times).first
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
        } catch let error as PostgresError where error.sqlState == .invalidCatalogName {
            return [finding("there is no database \(database)", "CREATE DATABASE \(SQLQuoting.name(database))")]
        } catch let error as PostgresError where error.scope == .target && error.sqlState?.category == "55" {
            let remedy = "ALTER DATABASE \(SQLQuoting.name(database)) ALLOW_CONNECTIONS true"
            return [finding("the database \(database) takes no connections (\(error.code))", remedy)]
        } catch let error as PostgresError where error.kind == .denied {
            let remedy = "GRANT CONNECT ON DATABASE \(SQLQuoting.name(database)) TO \(admin)"
            let message = "the admin cannot get into database \(database) (\(error.code)), and so not clean it"
            return [finding(message, remedy)]
        }
    }
}
