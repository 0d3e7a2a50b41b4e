// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension PostgresBackend {
    /// Makes the user, in one transaction.
    ///
    /// It works when this returns. A lost answer is cleared up by looking for the user's comment.
    public func issue(
        _ request: PostgresRequest,
        as handle: inout PostgresHandle,
        _ call: BackendCall
    ) async throws -> Issued<PostgresCredential> {
        let times = CallTimes(call, at: time.read())
        let role = try compiledRole(request.role)
        guard call.timeLeft > .zero else {
            throw BackendFailure(.denied, code: "over", "the lease would be over before it begins")
        }
        let name = handle.name
        return try await classified {
            // The first to be asked: a call whose time is over ends here.
            _ = try await facts(times)
            try await requireChecked(role, times)
            let item = try passwords.take(for: role.role)
            // While the server is at it.
            async let next: Void = passwords.restock(for: role.role)
            try await make(name, role, verifier: item.verifier, times)
            await next
            return Issued(PostgresCredential(username: name, password: item.password))
        }
    }

    /// Makes a user; the same verifier in every try, so that it does not matter which of them was carried out.
    private func make(_ name: String, _ role: CompiledRole, verifier: SecretText, _ times: CallTimes) async throws {
        var isUncertain = false
        var attempt = 0
        while true {
            attempt += 1
            do {
                return try await makeOnce(name, role, verifier: verifier, times)
            } catch let error as PostgresError {
                let isThere = error.sqlState == .duplicateObject
                if error.kind == .ambiguous || isThere {
                    isUncertain = isUncertain || error.kind == .ambiguous
                    switch try await look(for: name, times, after: error) {
                    case .ours where isUncertain: return
                    case .absent: break
                    case .ours, .foreign:
                        let message = "a role of this name is there already"
                        throw BackendFailure(.denied, code: "taken", message, underlying: error)
                    }
                } else if error.kind != .conflict {
                    if error.kind == .refused || error.kind == .denied || error.kind == .gone {
                        await rollBack(name, role, times)
                    }
                    throw BackendFailure.making(error)
                }
                guard try await pause(before: attempt, times) else {
                    throw isUncertain ? BackendFailure.unclear(error) : error.backendFailure
                }
            }
        }
    }

    private func makeOnce(_ name: String, _ role: CompiledRole, verifier: SecretText, _ times: CallTimes) async throws {
        let clock = try await facts(times).clock
        let call = times.call
        let script = CreationScript(
            name: name,
            role: role,
            tag: RoleTag(mark: call.mark, role: role.name, madeAt: call.now, until: call.expiresAt),
            verifier: verifier,
            validUntil: times.end(on: clock) + options.slack,
            deadline: times.deadline(on: clock),
            application: Self.application(of: call)
        )
        let statements: [PostgresStatement]
        do { statements = try script.statements() } catch {
            throw BackendFailure(.denied, code: "statements", "the role's statements cannot be written: \(error)")
        }
        try await session(times) { session in
            let sent = self.time.read().continuous
            do {
                let results = try await session.transaction(statements)
                self.note(clock: results.last?.rows.first?.last ?? nil, sent: sent)
            } catch let error as PostgresError {
                let isLate = error.sqlState == SQLTexts.refusal && error.statement == statements.count - 1
                if isLate { self.forgetClock() }
                throw isLate ? BackendFailure.tooLate(error) : error
            }
        }
    }

    enum Sight { case ours, foreign, absent }

    /// Looks for a user whose making has an unclear end.
    ///
    /// Behind its lock, so that a transaction that still runs at the server is waited for.
    private func look(for name: String, _ times: CallTimes, after error: PostgresError) async throws -> Sight {
        do {
            let seen = try await see([name], times)
            guard let comment = seen[name] else { return .absent }
            return comment.hasPrefix(RoleTag.prefix(of: times.call.mark)) ? .ours : .foreign
        } catch {
            throw BackendFailure.unclear(error)
        }
    }

    /// The comments of those of some roles that are there, read behind their locks.
    func see(_ names: [String], _ times: CallTimes) async throws -> [String: String] {
        let statements = [
            SQLTexts.lock(names, as: Self.application(of: times.call)),
            PostgresStatement(
                """
                SELECT r.rolname, d.description FROM pg_catalog.pg_roles r
                LEFT JOIN pg_catalog.pg_shdescription d
                    ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_authid'::regclass
                WHERE r.rolname = ANY ($1::name[])
                """,
                [SQLTexts.array(names)]
            ),
        ]
        let result = try await session(times) { try await $0.transaction(statements)[1] }
        var seen: [String: String] = [:]
        for row in result.rows { if let name = row[0] { seen[name] = row[1] ?? "" } }
        return seen
    }

    /// Runs what a role wants done when the making of a user failed.
    ///
    /// The failed transaction has undone what it did; a failure here changes nothing of that.
    private func rollBack(_ name: String, _ role: CompiledRole, _ times: CallTimes) async {
        let values: [Placeholder: String] = [.name: name, .username: name]
        let statements = role.rollback.compactMap { try? $0.text(values) }.map { PostgresStatement($0) }
        if statements.isEmpty { return }
        _ = try? await session(times) { try await $0.transaction(statements) }
    }
}

extension BackendFailure {
    /// The server's clock was past the call's deadline, so that everything was undone.
    static func tooLate(_ error: PostgresError) -> BackendFailure {
        BackendFailure(
            .transient,
            code: "late",
            "the server came to it after the call's deadline, and did nothing",
            underlying: error
        )
    }

    /// A failure after which nobody knows what the server did.
    static func unclear(_ error: any Error) -> BackendFailure {
        let cause = (error as? PostgresError)?.backendFailure ?? (error as? BackendFailure)
        return BackendFailure(
            .ambiguous,
            scope: cause?.scope ?? .lease,
            code: cause?.code ?? "unclear",
            "the answer to a commit was lost, and the server could not be asked again",
            underlying: error
        )
    }

    /// A refusal, with the way out where it is known.
    static func making(_ error: PostgresError) -> BackendFailure {
        let plain = error.backendFailure
        // Something that the statements name is not there; no credential is.
        let kind: Kind = plain.kind == .gone ? .denied : plain.kind
        let hint: String =
            switch error.sqlState {
            case .insufficientPrivilege: "; preflight() says which right is missing"
            case .programLimitExceeded:
                "; an object has too many single grants, give the rights to a group and use memberOf(_:)"
            default: ""
            }
        return BackendFailure(
            kind,
            scope: plain.scope,
            code: plain.code,
            plain.message + hint,
            retryAfter: plain.retryAfter,
            underlying: error
        )
    }
}
