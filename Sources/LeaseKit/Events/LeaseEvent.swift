// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Something that happened.
///
/// Holds ids, paths, numbers and our own words; no type in it can carry a secret.
public struct LeaseEvent: Sendable {
    /// What happened.
    public var kind: Kind
    /// When, by LeaseKit's clock.
    public var at: LeaseInstant
    /// The lease, if it is about one.
    public var lease: LeaseID?
    /// The lease's path, the mount's, or the prefix that an order is about; empty where there is none.
    public var path: String
    /// The lease's state afterwards; nil once it is removed.
    public var state: LeaseState?
    /// The record's generation: orders the events of one lease, whatever order they arrive in.
    public var generation: UInt32
    /// When the lease ends.
    public var expiresAt: LeaseInstant?
    /// Why, and who asked.
    public var cause: LeaseCause?
    /// What went wrong.
    public var failure: LeaseFailure?
    /// How often it was tried.
    public var attempts: Int
    /// The order, if it is about one.
    public var order: RevocationOrderID?
    /// How the lease ended, once it did.
    public var outcome: LeaseOutcome?
    /// A sentence, where the other fields do not say it all.
    public var note: String?

    /// Makes an event.
    public init(
        _ kind: Kind,
        at: LeaseInstant,
        lease: LeaseID? = nil,
        path: String = "",
        state: LeaseState? = nil,
        generation: UInt32 = 0,
        expiresAt: LeaseInstant? = nil,
        cause: LeaseCause? = nil,
        failure: LeaseFailure? = nil,
        attempts: Int = 0,
        order: RevocationOrderID? = nil,
        outcome: LeaseOutcome? = nil,
        note: String? = nil
    ) {
        self.kind = kind
        self.at = at
        self.lease = lease
        self.path = path
        self.state = state
        self.generation = generation
        self.expiresAt = expiresAt
        self.cause = cause
        self.failure = failure
        self.attempts = attempts
        self.order = order
        self.outcome = outcome
        self.note = note
    }

    /// An event about a lease, from its record.
    package init(
        _ kind: Kind,
        _ record: LeaseRecord,
        at: LeaseInstant,
        outcome: LeaseOutcome? = nil,
        note: String? = nil
    ) {
        self.init(
            kind,
            at: at,
            lease: record.id,
            path: record.path,
            // A record with children left stays, hollow, when its own credential has ended.
            state: outcome == nil || record.isHollow ? record.state : nil,
            generation: record.generation,
            expiresAt: record.expiresAt,
            cause: record.cause,
            failure: record.failure,
            attempts: Int(record.attempts),
            order: record.order,
            outcome: outcome,
            note: note
        )
    }
}

extension LeaseEvent: CustomStringConvertible {
    /// One line for a log.
    public var description: String {
        var line = "\(kind)"
        if kind == .orderPlaced || kind == .orderCompleted {
            if let order { line += " \(order)" }
        } else if let lease {
            line += path.isEmpty ? " \(lease)" : " \(path)/\(lease)"
        } else if !path.isEmpty {
            line += " \(path)"
        }
        if let cause { line += " (\(cause))" }
        if let outcome { line += ": \(outcome)" }
        if let failure { line += ": \(failure)" }
        if let note { line += ": \(note)" }
        return line
    }
}
