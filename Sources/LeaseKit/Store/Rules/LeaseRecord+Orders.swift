// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What an order did to a lease that it covers.
///
/// Frozen: a store that did not know an effect could not carry it out, and has to be told by its compiler.
public enum CoverEffect: Hashable, Sendable {
    /// It was covered before.
    case already
    /// Nothing to end: the record is hollow.
    case nothing
    /// It is being ended, and counts as unfinished.
    case unfinished
    /// It is stuck or quarantined, and counts as unfinished and stuck.
    case stuck
    /// It ends by itself, and counts as finished.
    case ending
}

extension LeaseRecord {
    /// Puts the lease under an order.
    ///
    /// A pending one stays so: its issuer may still be at work.
    public mutating func cover(by order: RevocationOrder, hasChildren: Bool, _ context: StoreContext) -> CoverEffect {
        if orderBits == order.id.rawValue || orderBits != 0 && orders.contains(order.id) { return .already }
        if isHollow { return .nothing }
        generation &+= 1
        operation = context.operation
        if self.order == nil {
            self.order = order.id
        } else {
            update { $0.otherOrders.append(order.id) }
        }
        urgency = max(urgency, order.urgency)
        let cause = order.cause(for: self)
        switch state {
        case .pending:
            update { $0.cause = cause }
            return .unfinished
        case .active:
            state = .revoking
            // A parent is looked at after its children: whoever serves it decides whether they hold it back.
            due = hasChildren ? context.now + min(order.patience, Patience.firstLook) : context.now
            update { $0.cause = cause }
            return .unfinished
        case .settling, .revoking:
            if claim == nil && !hasChildren { due = min(due, context.now) }
            return .unfinished
        case .stuck:
            if claim == nil { due = min(due, context.now) }
            return .stuck
        case .quarantined:
            return .stuck
        case .ending:
            return .ending
        }
    }

    /// Hands the lease to a worker if it is due, re-checked at this very moment; false when it is not.
    public mutating func hand(to claim: LeaseClaim, lapsesAt: LeaseInstant, _ context: StoreContext) -> Bool {
        guard due <= context.now else { return false }
        switch state {
        case .quarantined:
            return false
        case .pending:
            state = .settling
            update { $0.cause = $0.cause ?? LeaseCause(.issueFailed) }
        case .active:
            guard expiresAt <= context.now else { return false }
            state = .revoking
            update { $0.cause = LeaseCause(.expired) }
        case .settling, .revoking, .stuck, .ending:
            break
        }
        generation &+= 1
        operation = context.operation
        incarnation = context.incarnation
        self.claim = claim
        due = lapsesAt
        return true
    }

    /// Puts a parent off that is due while a child still needs it to be ended.
    ///
    /// Nobody sees a change: only the time moves at which the store looks again.
    public mutating func waitForChild(at now: LeaseInstant) {
        due = max(due, now + .seconds(30))
    }

    /// Frees what an earlier incarnation had in its hands, on a store with one owner.
    public mutating func void(at now: LeaseInstant) {
        if state == .pending || claim != nil {
            generation &+= 1
            claim = nil
            due = min(due, now)
        }
    }

    /// Notes that the last child is gone; true when the record has to be removed too.
    public mutating func lastChildLeft(at now: LeaseInstant) -> Bool {
        if isHollow { return true }
        if state == .revoking && claim == nil && attempts == 0 { due = min(due, now) }
        return false
    }

    /// When the issuing call gave up at the latest: settling time runs from here.
    ///
    /// Nil once it was handed out.
    ///
    /// Shares its storage with ``lastRenewedAt``, since no lease is renewed before it was handed out.
    public var issueDeadline: LeaseInstant? {
        state == .pending || state == .settling ? LeaseInstant(nanosecondsSinceEpoch: lastRenewal) : nil
    }
}

extension RevocationOrder {
    /// Why a lease ends: for the order's own reason when the order is about it, else because its parent does.
    fileprivate func cause(for record: LeaseRecord) -> LeaseCause {
        if selects(record) { return cause }
        return LeaseCause(.parentEnded, actor: cause.actor, requestID: cause.requestID)
    }
}
