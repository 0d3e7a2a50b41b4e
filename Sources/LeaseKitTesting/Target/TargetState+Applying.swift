// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension TargetState {
    /// Does what a request asks for, in the table that it was sent to.
    ///
    /// Ends are counted from the request's arrival, as a statement with a literal date in it does: a request that is
    /// done late does not make a credential that lives longer.
    mutating func apply(
        _ request: TargetRequest,
        to table: String,
        arrivedAt: LeaseInstant,
        _ now: TimeReading,
        isLate: Bool = false,
        isDuplicate: Bool = false
    ) -> TargetReply {
        let (reply, action) = outcome(of: request, in: table, arrivedAt: arrivedAt, now)
        note(request, action, at: now.wall, isLate: isLate, isDuplicate: isDuplicate)
        return reply
    }

    private mutating func outcome(
        of request: TargetRequest,
        in table: String,
        arrivedAt: LeaseInstant,
        _ now: TimeReading
    ) -> (TargetReply, TargetEvent.Action) {
        let held = tables[table]?.principals[request.name]
        switch request.body {
        case .make(let role, let password, let life):
            if let held, !isSame(held.mark, request.mark) {
                let failure = BackendFailure(.denied, code: "taken", "something that is not ours bears this name")
                return (.failed(failure), .notOurs)
            }
            var principal =
                held
                ?? TargetPrincipal(
                    name: request.name,
                    number: draw(),
                    mark: request.mark,
                    role: role,
                    madeAt: now.wall,
                    endsAt: nil,
                    target: table,
                    password: password,
                    madeAfter: now.continuous
                )
            principal.password = password
            principal.endsAt = life.map { arrivedAt + $0 }
            tables[table]?.principals[request.name] = principal
            return (.made(principal), .made)
        case .move(let life, let longest):
            guard var principal = held, isSame(principal.mark, request.mark) else {
                let failure = BackendFailure(.gone, "the target has no such credential")
                return (.failed(failure), held == nil ? .nothingThere : .notOurs)
            }
            principal.endsAt = life.map { life in
                let asked = arrivedAt + life
                return longest.map { min(asked, principal.madeAt + $0) } ?? asked
            }
            tables[table]?.principals[request.name] = principal
            return (.moved(principal.endsAt), .moved(principal.endsAt))
        case .end(let isRevocable):
            return end(request, held, in: table, isRevocable: isRevocable, now)
        case .list(let deployment, let cursor, let limit):
            let found = listing(of: deployment, in: table, now).filter { cursor.map($0.name.isAfter) ?? true }
            let page = Array(found.prefix(limit))
            return (.page(page, next: found.count > limit ? page.last?.name : nil), .read)
        case .identify:
            return (.fingerprint(table), .read)
        }
    }

    private mutating func end(
        _ request: TargetRequest,
        _ held: TargetPrincipal?,
        in table: String,
        isRevocable: Bool,
        _ now: TimeReading
    ) -> (TargetReply, TargetEvent.Action) {
        guard let held, isRevocable || held.isLive(at: now.wall) else {
            for index in inFlight.indices where inFlight[index].request.name == request.name {
                guard let delay = inFlight[index].afterRevoke else { continue }
                inFlight[index].afterRevoke = nil
                inFlight[index].due = now.continuous + delay
            }
            return (.nothingThere(isProven: !isInFlight(request.name)), .nothingThere)
        }
        guard ignoresMarks || isSame(held.mark, request.mark) else { return (.notOurs, .notOurs) }
        guard isRevocable else { return (.endsAt(held.endsAt), .left) }
        tables[table]?.principals[request.name] = nil
        tables[table]?.ended.append((held, now.continuous))
        return (.ended, .ended)
    }

    /// Everything that bears a deployment's mark, by name, as the target's listing shows it.
    private func listing(of deployment: String, in table: String, _ now: TimeReading) -> [TargetPrincipal] {
        guard let table = tables[table] else { return [] }
        let seen = table.principals.values.filter { $0.madeAfter + inventoryLag <= now.continuous }
        let ghosts = table.ended.filter { $0.after + inventoryLag > now.continuous }.map(\.principal)
            .filter { table.principals[$0.name] == nil }
        let all = Dictionary((seen + ghosts).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        if listsEverything {
            return all.values.filter { $0.mark != nil }.map { $0.claimed(by: deployment) }.sorted { $0.name < $1.name }
        }
        return all.values.filter { $0.mark?.deployment == deployment && $0.isLive(at: now.wall) }
            .sorted { $0.name < $1.name }
    }

    /// Whether two marks name the same lease of the same deployment; the epoch may have moved on since.
    private func isSame(_ one: LeaseMark?, _ other: LeaseMark?) -> Bool {
        guard let one, let other else { return false }
        return (ignoresDeployments || one.deployment == other.deployment) && one.lease == other.lease
    }
}

extension String {
    fileprivate func isAfter(_ other: String) -> Bool { self > other }
}

extension TargetPrincipal {
    /// The same with another deployment in its mark, as a listing by name alone would have it.
    fileprivate func claimed(by deployment: String) -> TargetPrincipal {
        TargetPrincipal(
            name: name,
            number: number,
            mark: mark.map { LeaseMark(deployment: deployment, lease: $0.lease, epoch: $0.epoch) },
            role: role,
            madeAt: madeAt,
            endsAt: endsAt,
            target: target,
            password: password,
            madeAfter: madeAfter
        )
    }
}
