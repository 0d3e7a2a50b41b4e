// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Changes of a record as the table saw them: invariants 3, 4, 5, 8 and 10.
extension InvariantChecker {
    func didApply(
        _ change: LeaseChange,
        before: LeaseRecord?,
        parent: LeaseRecord?,
        _ outcome: LeaseChangeOutcome,
        _ context: StoreContext,
        in deployment: Int
    ) {
        lastNow[deployment] = context.now
        guard case .applied(let record) = outcome else {
            if case .update(let id, let update) = change {
                leases[id]?.note(
                    "\(context.now) \(context.incarnation): \(update.word) refused: \(outcome.refusal.map { "\($0)" } ?? "")"
                )
            }
            return
        }
        switch change {
        case .insert(let insertion): didInsert(insertion, record, parent, context, in: deployment)
        case .update(let id, let update): didUpdate(id, update, before, record, context, in: deployment)
        }
    }

    private func didInsert(
        _ insertion: LeaseInsertion,
        _ record: LeaseRecord,
        _ parent: LeaseRecord?,
        _ context: StoreContext,
        in deployment: Int
    ) {
        if let known = leases[record.id], known.excuse == nil {
            return violate(10, known, "a record that was gone came back")
        }
        let lease = TrackedLease(record, deployment: deployment, plan: plan(of: record.path, in: deployment))
        lease.insertedAt = target.time.read().continuous
        leases[record.id] = lease
        live[deployment].insert(record.id)
        lease.note(
            "\(context.now) \(context.incarnation): inserted until \(record.expiresAt), parent \(record.parent.map { "\($0)" } ?? "none")"
        )
        noteTrueEnd(lease, record, context)
        if record.kind == .credential {
            issuesWritten += 1
            if issuesWritten > issuesAsked { violate(8, lease, "it was written down, and nobody asked for one more") }
        }
        checkBytes(record.handle, lease)
        checkAge(lease, record.expiresAt, before: nil)
        if let parent = insertion.parent { children[parent, default: []].append(record.id) }
        if insertion.parent != nil {
            if parent?.state != .active || parent.map({ context.now >= $0.expiresAt }) ?? true {
                violate(3, lease, "it was inserted under a parent that is \(parent.map { "\($0.state)" } ?? "gone")")
            }
            if let parent, insertion.bindsToParent, record.expiresAt > parent.expiresAt {
                violate(5, lease, "it is bound to its parent and outlives it")
            }
        }
        if let request = record.requestID {
            if let earlier = requests[deployment][request].flatMap({ leases[$0] }), earlier.excuse == nil {
                if earlier.state != nil || isLive(earlier.name) && !isTrustedToEnd(earlier) {
                    violate(8, lease, "request \(request) has lease \(earlier.id) already")
                }
            }
            requests[deployment][request] = record.id
        }
    }

    private func didUpdate(
        _ id: LeaseID,
        _ update: LeaseUpdate,
        _ before: LeaseRecord?,
        _ record: LeaseRecord,
        _ context: StoreContext,
        in deployment: Int
    ) {
        guard let lease = leases[id] else { return violate(1, nil, "a record changed that nobody saw come: \(id)") }
        lease.note(
            "\(context.now) \(context.incarnation): \(update.word) -> \(record.state) \(record.expiresAt) due \(record.due)"
        )
        if record.generation <= lease.generation && lease.excuse == nil {
            violate(10, lease, "its generation did not grow: \(lease.generation), then \(record.generation)")
        }
        checkBytes(record.handle, lease)
        if let name = (try? InMemoryHandle(handleBytes: record.handle))?.name, name != lease.name, !record.isHollow {
            violate(1, lease, "its handle does not name its credential any more: \(name)")
        }
        if let claim = update.claim, let owner = lease.claim, owner.value != claim || owner.owner != context.incarnation
        {
            violate(4, lease, "\(context.incarnation) wrote with a claim that is not its own")
        }
        switch update {
        case .activate:
            lease.becomeActive(record)
            noteTrueEnd(lease, record, context)
        case .extend(let change):
            noteTrueEnd(lease, record, context)
            lease.ends.insert(record.expiresAt)
            if let before {
                if before.state != .active { violate(4, lease, "it was renewed while \(before.state)") }
                checkAge(lease, record.expiresAt, before: before.expiresAt)
                let isAsked = context.cause.actor == "shorten"
                if change.isCutByTarget { checkCut(lease, record, context) }
                // Whoever holds it is told by the answer, or by nobody when another manager was asked.
                if record.expiresAt < before.expiresAt { holders[id]?.isOutdated = true }
                if record.expiresAt < before.expiresAt && !isAsked && !change.isCutByTarget {
                    violate(5, lease, "a renewal shortened it, and nobody asked for that")
                }
            }
            if change.expiresAt != record.expiresAt { violate(5, lease, "its end is not the one that was written") }
        case .detach: lease.parent = nil
        default: break
        }
        if case .remove(_, let outcome) = update {
            lease.outcome = outcome
            noteBelief(lease, context)
            if !(before?.isHollow ?? false) { checkRemoval(lease, outcome) }
            count("removed.\(outcome)")
            lease.generation = record.generation
            if record.isHollow { step(lease, to: record) } else { forget(lease) }
            return
        }
        step(lease, to: record)
    }

    /// A renewal shortened a lease because the target says that it keeps the credential no longer: the target is asked.
    private func checkCut(_ lease: TrackedLease, _ record: LeaseRecord, _ context: StoreContext) {
        count("cutByTarget")
        guard let principal = principal(of: lease) else { return }
        let left = context.now.duration(to: record.expiresAt)
        guard let end = principal.endsAt else {
            return violate(5, lease, "a renewal shortened it for the target's sake, which keeps it for ever")
        }
        let atTarget = target.time.read().wall.duration(to: end)
        if atTarget > left + .seconds(15) {
            violate(5, lease, "a renewal shortened it to \(left) for the target's sake, which keeps it for \(atTarget)")
        }
    }

    func didPlace(_ placement: OrderPlacement, _ context: StoreContext, in deployment: Int) {
        lastNow[deployment] = context.now
        // The patience that its manager was told to have, whatever became of that on the way.
        placed[placement.order.id] = target.time.read().wall + SimulatedWorld.patience
        guard placement.refusal == nil else { return }
        if let root = placement.order.selection.root {
            leases[root]?.note(
                "\(context.now) \(context.incarnation): order \(placement.order.id) (\(placement.order.cause))"
            )
        }
        if let record = placement.claimed?.record, let lease = leases[record.id] {
            if let claim = record.claim { lease.claim = (claim, context.incarnation) }
            step(lease, to: record)
        }
    }

    func didClaim(_ claimed: ClaimedLease, _ request: ClaimRequest, _ context: StoreContext, in deployment: Int) {
        lastNow[deployment] = context.now
        let record = claimed.record
        guard let lease = leases[record.id] else { return violate(1, nil, "a lease was claimed that nobody saw come") }
        lease.note("\(context.now) \(context.incarnation): claimed as \(record.state), expires \(record.expiresAt)")
        if lease.state == .active {
            count("expired")
            if record.order == nil { checkExpiry(lease, by: context.now) }
            if record.order == nil && record.expiresAt > context.now {
                violate(4, lease, "it was claimed for its expiry before its time")
            }
            if record.order == nil && request.scope == .ordered {
                violate(4, lease, "it was ended by time while held off")
            }
        }
        if let claim = record.claim { lease.claim = (claim, context.incarnation) }
        step(lease, to: record)
    }

    /// A record as it is now; nil when it is gone.
    func didSee(_ record: LeaseRecord?, _ id: LeaseID, in deployment: Int) {
        guard let lease = leases[id] else {
            if record != nil { violate(1, nil, "a record is there that nobody saw come: \(id)") }
            return
        }
        guard let record else {
            if lease.state != nil {
                if !lease.isHollow && lease.excuse == nil {
                    violate(6, lease, "its record is gone, and nobody removed it")
                }
                forget(lease)
            }
            return
        }
        if record.generation == lease.generation && record.state == lease.state { return }
        if record.generation < lease.generation && lease.excuse == nil {
            violate(10, lease, "its generation fell from \(lease.generation) to \(record.generation)")
        }
        lease.note("seen \(record.state), generation \(record.generation)")
        step(lease, to: record)
    }

    private func step(_ lease: TrackedLease, to record: LeaseRecord) {
        if let from = lease.state, !from.leads(to: record.state) && lease.excuse == nil {
            violate(10, lease, "its state went from \(from) to \(record.state)")
        }
        live[lease.deployment].insert(lease.id)
        lease.state = record.state
        lease.isHollow = record.isHollow
        lease.generation = record.generation
        if record.state != .ending { lease.expiresAt = record.expiresAt }
        lease.parent = record.parent
        lease.orders = record.orders
        lease.attempts = record.attempts
        if record.claim == nil { lease.claim = nil }
    }

    func forget(_ lease: TrackedLease) {
        lease.state = nil
        lease.claim = nil
        live[lease.deployment].remove(lease.id)
    }

    /// The highest maximum by which a renewal may have been decided that is written now.
    ///
    /// Lowered limits bind at the next renewal, so only calls that were under way may have seen the old ones.
    private func highestMaximum(_ path: String, in deployment: Int) -> Duration? {
        let now = target.time.read().continuous
        guard isSettled(deployment, for: .seconds(60)) else { return limits[deployment].highest(path) }
        let highest = limits[deployment].highest(path, since: now - .seconds(45))
        if highest != limits[deployment].highest(path) { count("limits.lowered") }
        return highest
    }

    /// An end lies within the age limit: invariant 5.
    private func checkAge(_ lease: TrackedLease, _ end: LeaseInstant, before: LeaseInstant?) {
        if let before, end <= before { return }
        guard let plan = lease.plan, lease.excuse == nil else { return }
        var limit = lease.explicitMaximum
        if lease.period == nil, let highest = highestMaximum(plan.path, in: lease.deployment) {
            limit = min(limit ?? highest, highest)
        }
        if let limit, end > lease.issuedAt + limit {
            violate(5, lease, "its end \(end) lies behind its maximum age of \(limit)")
        }
    }
}

extension LeaseState {
    /// Whether one change, or several in a row, can lead from this state to another.
    func leads(to other: LeaseState) -> Bool {
        if self == other { return true }
        switch (self, other) {
        case (_, .pending),
            (_, .active) where self != .pending:
            return false
        case (.pending, .active), (.pending, .settling), (.pending, .revoking): return true
        case (.pending, _): return other != .pending
        case (.active, .settling), (.revoking, .settling), (.stuck, .settling), (.ending, .settling): return false
        default: return true
        }
    }
}

extension LeaseUpdate {
    var word: String {
        switch self {
        case .activate: "activate"
        case .handOver(let over):
            "handOver(inFlight: \(over.mayBeInFlight), \(over.failure.map { "\($0)" } ?? "no failure"))"
        case .extend(let change): "extend(\(change.expiresAt), confirm: \(change.needsConfirmation))"
        case .doubt: "doubt"
        case .consumeUse: "consumeUse"
        case .detach: "detach"
        case .rearm: "rearm"
        case .attempt(_, let failure, _, let isStuck): "attempt(\(failure), stuck: \(isStuck))"
        case .release: "release"
        case .settle: "settle"
        case .end: "end"
        case .remove(_, let outcome): "remove(\(outcome))"
        case .quarantine: "quarantine"
        }
    }

    var claim: LeaseClaim? {
        switch self {
        case .attempt(let claim, _, _, _), .release(let claim, _), .settle(let claim, _), .end(let claim, _): claim
        case .remove(let claim, _), .quarantine(let claim, _): claim
        default: nil
        }
    }
}
