// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension PostgresBackend: BatchRevoking {
    /// How many users are ended in one transaction at most.
    public var batchLimit: Int { options.batchLimit }

    /// Ends one user.
    ///
    /// 1. `NOLOGIN`: nobody gets in any more.
    /// 2. Its sessions are ended.
    /// 3. The role's own revocation statements, if there are any.
    /// 4. What it was given, and what it owns, by what the catalog says, in each database.
    /// 5. `DROP ROLE`, and a look for sessions that slipped in.
    public func revoke(_ handle: PostgresHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        guard let answer = await revoke([BatchItem(handle: handle, call: call)]).first else {
            throw BackendFailure(.transient, "nothing was asked")
        }
        return try answer.get()
    }

    /// Ends users in as few transactions as possible; those that hold up the others are ended one by one.
    public func revoke(_ items: [BatchItem<PostgresHandle>]) async -> [Result<RevocationOutcome, any Error>] {
        guard let call = items.first?.call else { return [] }
        let times = CallTimes(call, at: time.read())
        var endings: [Ending] = []
        for item in items where !endings.contains(where: { $0.name == item.handle.name }) {
            endings.append(Ending(item, orphan: (try? compiledRole(item.handle.role))?.plan))
        }
        let ender = RoleEnder(backend: self, times: times)
        let outcomes = await ender.end(endings)
        return items.map { item in
            // The same name under another mark is another question.
            guard let ending = endings.first(where: { $0.name == item.handle.name }),
                ending.mark.names(item.call.mark)
            else { return .success(.notOurs) }
            return outcomes[item.handle.name]
                ?? .failure(BackendFailure(.transient, "the batch ended before it came to this role"))
        }
    }
}

/// One user that is to be ended.
struct Ending: Sendable {
    let name: String
    let mark: LeaseMark
    let plan: EndingPlan
    /// Whether no request that would make it can be carried out any more.
    let isSettled: Bool

    /// What its comment begins with.
    var tag: String { RoleTag.prefix(of: mark) }
    var quoted: String { SQLQuoting.name(name) }

    /// - Parameter orphan: The plan of the role as it is now, for a user that no lease names.
    init(_ item: BatchItem<PostgresHandle>, orphan: EndingPlan?) {
        name = item.handle.name
        mark = item.call.mark
        plan = EndingPlan(item.call.role) ?? orphan ?? .unknown
        // A second on top of what the server holds requests to: its clock was known to some exactness only.
        isSettled = item.handle.issueDeadline.map { $0 + .seconds(1) < item.call.now } ?? false
    }
}
