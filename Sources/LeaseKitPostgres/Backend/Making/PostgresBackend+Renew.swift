// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension PostgresBackend {
    /// Moves `VALID UNTIL`, or does what the role's renewal statements say.
    public func renew(_ handle: inout PostgresHandle, _ call: BackendCall) async throws -> Renewed {
        let times = CallTimes(call, at: time.read())
        let name = handle.name
        // A role that was taken out of the configuration is renewed in the plain way, as long as the manager lets it.
        let role = try? compiledRole(handle.role)
        return try await classified {
            var attempt = 0
            while true {
                attempt += 1
                do {
                    try await move(name, role?.renewal ?? [], times)
                    return .until(call.expiresAt)
                } catch let error as PostgresError where error.kind == .conflict {
                    guard try await pause(before: attempt, times) else { throw error }
                } catch let error as PostgresError where error.sqlState == SQLTexts.refusal || error.kind == .gone {
                    let comment = try await see([name], times)[name]
                    if let comment, comment.hasPrefix(RoleTag.prefix(of: call.mark)) {
                        if error.kind != .gone { forgetClock() }
                        throw error.kind == .gone ? BackendFailure.making(error) : BackendFailure.tooLate(error)
                    }
                    throw BackendFailure(
                        .gone,
                        code: "42704",
                        comment == nil ? "the role is not there any more" : "another role bears its name now",
                        underlying: error
                    )
                }
            }
        }
    }

    private func move(_ name: String, _ renewal: [StatementTemplate], _ times: CallTimes) async throws {
        let clock = try await facts(times).clock
        let end = (times.end(on: clock) + options.slack).sqlText
        let guarding = PostgresStatement(
            """
            SELECT 1 / (count(*) = 1 AND clock_timestamp() < $3::timestamptz)::int, \(ServerClock.column)
            FROM pg_catalog.pg_shdescription d
            WHERE d.objoid = to_regrole(quote_ident($1)) AND d.classoid = 'pg_catalog.pg_authid'::regclass
                AND starts_with(d.description, $2)
            """,
            [name, RoleTag.prefix(of: times.call.mark), times.deadline(on: clock).sqlText],
            isRepeated: renewal.isEmpty
        )
        let moving = PostgresStatement("ALTER ROLE \(SQLQuoting.name(name)) VALID UNTIL \(SQLQuoting.literal(end))")
        var statements: [PostgresStatement]
        if renewal.isEmpty {
            statements = [SQLTexts.seek, guarding, moving]
        } else {
            statements = [SQLTexts.catalogOnly, guarding]
            // What the role's own statements leave out.
            if !renewal.contains(where: \.movesEnd) { statements.append(moving) }
            let values: [Placeholder: String] = [.name: name, .username: name, .expiration: end]
            statements += [SQLTexts.lockRights, SQLTexts.ownPath]
            do {
                statements += try renewal.map { PostgresStatement(try $0.text(values)) }
            } catch {
                throw BackendFailure(.denied, code: "statements", "the role's statements cannot be written: \(error)")
            }
        }
        try await session(times) { [statements] session in
            let sent = self.time.read().continuous
            let results = try await session.transaction(statements)
            let clock = results[1].rows.first?.last
            self.note(clock: clock ?? nil, sent: sent)
        }
    }
}
