// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// All that LeaseKit remembers of one lease.
///
/// Never the secret.
///
/// The record lives in a ``LeaseStore``; the manager keeps no second copy. It changes only through
/// ``apply(_:_:_:)``, so that every store obeys the same rules.
///
/// Fields that most leases lack (owner, labels, failure, …) live in ``details``, which costs eight bytes while absent.
public struct LeaseRecord: Sendable, Identifiable {
    /// The version of the layout that this build writes.
    public static let currentVersion = 1

    /// The lease's name.
    public let id: LeaseID
    /// Where it lies: the mount's path and the role's below it.
    ///
    /// Equal paths share their storage.
    public var path: String
    /// What the backend needs to find and end the credential again.
    ///
    /// Never the secret.
    public var handle: [UInt8]
    /// The role as it was when the credential was made, if the backend wants it back at the end.
    ///
    /// Stored once per version.
    public var role: [UInt8]
    /// The store's count of leases at insertion: later leases have higher numbers.
    public var sequence: UInt64
    /// When it was issued.
    public var issuedAt: LeaseInstant
    /// When it ends unless renewed.
    ///
    /// ``LeaseInstant/distantFuture`` for one that only an order ends.
    public var expiresAt: LeaseInstant
    /// When the store hands it to a worker next: its expiry, the next try, the lapse of a claim.
    public var due: LeaseInstant
    /// The id of the last store call that changed it; decides what happened after an answer was lost.
    public var operation: UInt64
    /// The mount that made it.
    public var mount: MountID
    /// Counts the record's changes.
    ///
    /// Only grows; every compare-and-set is on it.
    public var generation: UInt32
    /// Who issued it while pending, who claimed it while claimed.
    public var incarnation: Incarnation
    /// How often ending it has failed.
    public var attempts: UInt32
    /// Where it stands.
    public var state: LeaseState
    /// What it holds.
    public var kind: LeaseKind
    /// Whether its end jumps the queue of expiries.
    public var urgency: LeaseUrgency
    var flags: Flags
    var parentBits: LeaseID
    var lastRenewal: Int64
    var orderBits: UInt64
    var claimBits: UInt64
    /// The rare fields.
    public var details: Details?

    /// The path and the id: `database/creds/app/01h8…`, as people and logs name the lease.
    public var name: String { "\(path)/\(id)" }

    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static let renewable = Flags(rawValue: 1)
        static let bindsToParent = Flags(rawValue: 2)
        static let needsConfirmation = Flags(rawValue: 4)
        static let hollow = Flags(rawValue: 8)
        static let needsParent = Flags(rawValue: 16)
    }
}

/// How soon the end of a lease is due compared with others.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseUrgency: UInt8, Hashable, Sendable, Comparable {
    /// Ended by time: in the order of expiry.
    case expiry = 0
    /// Ended by an order: before expiries.
    case ordered = 1

    /// Orders urgencies, the lower first.
    public static func < (lhs: LeaseUrgency, rhs: LeaseUrgency) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension LeaseRecord {
    /// The lease that this one belongs to.
    public var parent: LeaseID? {
        get { parentBits.high | parentBits.low == 0 ? nil : parentBits }
        set { parentBits = newValue ?? LeaseID(high: 0, low: 0) }
    }

    /// Whether its end may never lie behind its parent's.
    public var bindsToParent: Bool {
        get { flags.contains(.bindsToParent) }
        set { flags.set(.bindsToParent, newValue) }
    }

    /// Whether it can be extended at all.
    public var isRenewable: Bool {
        get { flags.contains(.renewable) }
        set { flags.set(.renewable, newValue) }
    }

    /// Whether the last renewal's answer was lost, so that the target may hold another expiry than this record.
    ///
    /// The recorded expiry is applied to the target again before anything new is promised.
    public var needsConfirmation: Bool {
        get { flags.contains(.needsConfirmation) }
        set { flags.set(.needsConfirmation, newValue) }
    }

    /// Whether its credential is gone already and the record stays for the sake of children that are not.
    public var isHollow: Bool {
        get { flags.contains(.hollow) }
        set { flags.set(.hollow, newValue) }
    }

    /// Whether its backend needs the parent's credential to end it.
    public var needsParent: Bool { flags.contains(.needsParent) }

    /// When it was last extended.
    public var lastRenewedAt: LeaseInstant? {
        get { lastRenewal == .min || issueDeadline != nil ? nil : LeaseInstant(nanosecondsSinceEpoch: lastRenewal) }
        set { lastRenewal = newValue?.nanosecondsSinceEpoch ?? .min }
    }

    /// The first order that covers it.
    public var order: RevocationOrderID? {
        get { orderBits == 0 ? nil : RevocationOrderID(rawValue: orderBits) }
        set { orderBits = newValue?.rawValue ?? 0 }
    }

    /// Every order that covers it and waits for its end.
    public var orders: [RevocationOrderID] {
        guard let order else { return [] }
        return [order] + (details?.otherOrders ?? [])
    }

    /// The token of the worker that has it in its hands.
    public var claim: LeaseClaim? {
        get { claimBits == 0 ? nil : LeaseClaim(rawValue: claimBits) }
        set { claimBits = newValue?.rawValue ?? 0 }
    }
}

/// The token of one claim on due leases.
///
/// A worker's writes carry it and lose when the claim has lapsed.
public struct LeaseClaim: Hashable, Sendable {
    /// The token; higher numbers were given later, so a target that keeps the highest one can fence off a late worker.
    public let rawValue: UInt64

    /// Makes a claim from its number, as a store gives it.
    ///
    /// Never zero.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

extension OptionSet {
    fileprivate mutating func set(_ member: Element, _ isPresent: Bool) {
        if isPresent { insert(member) } else { remove(member) }
    }
}
