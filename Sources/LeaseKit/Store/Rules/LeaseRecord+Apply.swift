// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a store looks up before it changes a lease.
public struct UpdateFacts: Sendable {
    /// An order that is not expanded yet and covers the lease, by itself or by something above it.
    public var coveredBy: RevocationOrderID?
    /// The lease's parent, if it has one that is there.
    public var parent: ParentFacts?
    /// Whether other leases hang on it.
    public var hasChildren: Bool

    /// Makes facts.
    public init(coveredBy: RevocationOrderID? = nil, parent: ParentFacts? = nil, hasChildren: Bool = false) {
        self.coveredBy = coveredBy
        self.parent = parent
        self.hasChildren = hasChildren
    }
}

/// What a store does with a record that a change was applied to.
///
/// Frozen: a store that did not know an effect could not carry it out, and has to be told by its compiler.
public enum UpdateEffect: Hashable, Sendable {
    /// Writes it back.
    case keep
    /// Removes it, counts the outcome for its orders, and tells its parent.
    case remove(LeaseOutcome)
    /// Writes it back hollow, and counts the outcome for its orders: children are left.
    case hollow(LeaseOutcome)
    /// Writes it back, and counts it as ending for its orders.
    case ending
    /// Writes it back, and counts it as stuck for its orders.
    case stuck
    /// Writes it back, and counts it as stuck no more.
    case freed
}

extension LeaseRecord {
    /// Applies one change: the rules that every store obeys.
    ///
    /// On a refusal the record is as it was.
    public mutating func apply(
        _ update: LeaseUpdate,
        _ facts: UpdateFacts,
        _ context: StoreContext
    ) -> Result<UpdateEffect, ChangeRefusal> {
        if let refusal = refusal(of: update, facts, now: context.now) { return .failure(refusal) }
        generation &+= 1
        operation = context.operation
        switch update {
        case .activate(let activation):
            state = .active
            handle = activation.handle
            expiresAt = activation.expiresAt
            due = activation.expiresAt
            lastRenewal = .min
        case .handOver(let handOver):
            giveUp(handOver, context)
        case .extend(let change):
            expiresAt = change.expiresAt
            due = change.expiresAt
            lastRenewedAt = context.now
            needsConfirmation = change.needsConfirmation
            if let handle = change.handle { self.handle = handle }
        case .doubt(let handle, let isAmbiguous):
            if let handle { self.handle = handle }
            if isAmbiguous { needsConfirmation = true }
        case .consumeUse:
            consumeUse(context)
        case .detach:
            parent = nil
            bindsToParent = false
            flags.remove(.needsParent)
        case .rearm:
            due = context.now
            if state == .quarantined || state == .stuck {
                state = .revoking
                return .success(.freed)
            }
        case .attempt(_, let failure, let due, let isStuck):
            return .success(charge(failure, due: due, isStuck: isStuck))
        case .release(_, let due), .settle(_, let due):
            claim = nil
            self.due = due
        case .end(_, let until):
            let wasEnding = state == .ending
            claim = nil
            state = .ending
            due = until
            expiresAt = until
            return .success(wasEnding ? .keep : .ending)
        case .remove(_, let outcome):
            return .success(finish(outcome, hasChildren: facts.hasChildren))
        case .quarantine(_, let failure):
            let wasStuck = isStuckOrQuarantined
            claim = nil
            state = .quarantined
            due = .distantFuture
            self.update { $0.failure = failure }
            return .success(wasStuck ? .keep : .stuck)
        }
        return .success(.keep)
    }

    private func refusal(of update: LeaseUpdate, _ facts: UpdateFacts, now: LeaseInstant) -> ChangeRefusal? {
        switch update {
        case .activate(let activation):
            if state != .pending { return .wrongState(state) }
            if let order = order ?? facts.coveredBy { return .covered(order) }
            if parent != nil && facts.parent?.isActive != true { return .parentNotActive }
            if generation != activation.generation { return .generationChanged(generation) }
            if now >= due || activation.expiresAt <= now { return .tooLate }
            return beyondParent(activation.expiresAt, facts)
        case .handOver:
            return state == .pending || state == .settling ? nil : .wrongState(state)
        case .extend(let change):
            if let refusal = refusalUnlessActive(facts, now: now) { return refusal }
            if generation != change.generation { return .generationChanged(generation) }
            if change.expiresAt <= now { return .tooLate }
            if change.expiresAt < expiresAt && !change.mayShorten { return .wouldShorten(expiresAt) }
            return beyondParent(change.expiresAt, facts)
        case .doubt, .detach:
            return refusalUnlessActive(facts, now: now)
        case .consumeUse:
            if let refusal = refusalUnlessActive(facts, now: now) { return refusal }
            return usesLeft == 0 ? .noUsesLeft : nil
        case .rearm:
            let canWait = !state.isStanding && state != .ending && !isHollow
            return canWait ? (claim == nil ? nil : .claimLost) : .wrongState(state)
        case .attempt(let claim, _, _, _), .release(let claim, _), .settle(let claim, _), .end(let claim, _):
            return self.claim == claim ? nil : .claimLost
        case .remove(let claim?, _), .quarantine(let claim?, _):
            return self.claim == claim ? nil : .claimLost
        case .remove(nil, let outcome):
            if outcome != .abandoned { return .claimLost }
            return facts.hasChildren ? .hasChildren : nil
        case .quarantine(nil, _):
            return state == .quarantined ? .wrongState(state) : nil
        }
    }

    /// Why the lease is not active, in the sense of every promise; nil when it is.
    public func refusalUnlessActive(_ facts: UpdateFacts, now: LeaseInstant) -> ChangeRefusal? {
        if state != .active { return order.map { .covered($0) } ?? .wrongState(state) }
        if let order = facts.coveredBy { return .covered(order) }
        return now >= expiresAt ? .tooLate : nil
    }

    private func beyondParent(_ end: LeaseInstant, _ facts: UpdateFacts) -> ChangeRefusal? {
        guard bindsToParent, let parent = facts.parent, end > parent.expiresAt else { return nil }
        return .beyondParent(parent.expiresAt)
    }

    private mutating func giveUp(_ handOver: LeaseHandOver, _ context: StoreContext) {
        if let handle = handOver.handle { self.handle = handle }
        // Whatever is in flight was sent before now, so the settling time runs from here at the latest.
        if handOver.mayBeInFlight {
            state = .settling
            lastRenewal = min(lastRenewal, context.now.nanosecondsSinceEpoch)
        } else {
            state = .revoking
            lastRenewal = .min
        }
        if claim == nil { due = context.now }
        // Its issuer asks for the end, not its time: a manager that is held off ends it, too.
        urgency = .ordered
        update {
            $0.failure = handOver.failure ?? $0.failure
            $0.cause = $0.cause ?? context.cause
        }
    }

    private mutating func consumeUse(_ context: StoreContext) {
        guard let left = usesLeft else { return }
        update { $0.usesLeft = left - 1 }
        if left == 1 {
            state = .revoking
            urgency = .ordered
            due = context.now
            update { $0.cause = LeaseCause(.usesSpent, actor: context.cause.actor, requestID: context.cause.requestID) }
        }
    }

    private mutating func charge(_ failure: LeaseFailure, due: LeaseInstant, isStuck: Bool) -> UpdateEffect {
        let wasStuck = isStuckOrQuarantined
        claim = nil
        attempts &+= 1
        self.due = due
        update { $0.failure = failure }
        // A lease that was never handed out stays settling, however it fails: its end is a hint until proven.
        if state != .settling { state = isStuck ? .stuck : .revoking }
        if isStuckOrQuarantined == wasStuck { return .keep }
        return wasStuck ? .freed : .stuck
    }

    private mutating func finish(_ outcome: LeaseOutcome, hasChildren: Bool) -> UpdateEffect {
        claim = nil
        guard hasChildren else { return .remove(outcome) }
        isHollow = true
        handle = []
        state = .revoking
        due = .distantFuture
        return .hollow(outcome)
    }

    private var isStuckOrQuarantined: Bool { state == .stuck || state == .quarantined }
}
