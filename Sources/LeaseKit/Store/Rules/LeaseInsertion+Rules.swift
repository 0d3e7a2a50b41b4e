// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a store looks up before it inserts a lease.
public struct InsertionFacts: Sendable {
    /// The time.
    public var now: LeaseInstant
    /// The lease that has this id already.
    public var holderOfID: LeaseID?
    /// The lease that answers this request id already.
    public var holderOfRequest: LeaseID?
    /// A closing order that keeps this path out.
    public var closedBy: RevocationOrderID?
    /// The parent, if one is asked for and there.
    public var parent: ParentFacts?
    /// How many leases there are where the quotas count.
    public var usage: LeaseQuotas.Usage

    /// Makes facts.
    public init(
        now: LeaseInstant,
        holderOfID: LeaseID? = nil,
        holderOfRequest: LeaseID? = nil,
        closedBy: RevocationOrderID? = nil,
        parent: ParentFacts? = nil,
        usage: LeaseQuotas.Usage = LeaseQuotas.Usage()
    ) {
        self.now = now
        self.holderOfID = holderOfID
        self.holderOfRequest = holderOfRequest
        self.closedBy = closedBy
        self.parent = parent
        self.usage = usage
    }
}

/// What a child needs to know of its parent.
public struct ParentFacts: Hashable, Sendable {
    /// Whether it is active: in that state, no open order covers it or anything above it, and its time is not over.
    public var isActive: Bool
    /// When it ends.
    public var expiresAt: LeaseInstant

    /// Makes facts.
    public init(isActive: Bool, expiresAt: LeaseInstant) {
        self.isActive = isActive
        self.expiresAt = expiresAt
    }
}

extension LeaseInsertion {
    /// Decides whether the lease may be inserted; nil when it may.
    public func refusal(_ facts: InsertionFacts) -> ChangeRefusal? {
        if facts.holderOfID != nil { return .duplicateID }
        if let holder = facts.holderOfRequest { return .requestRepeated(holder) }
        if let order = facts.closedBy { return .pathClosed(order) }
        if parent != nil {
            guard let parent = facts.parent, parent.isActive else { return .parentNotActive }
            if bindsToParent && expiresAt > parent.expiresAt { return .beyondParent(parent.expiresAt) }
        }
        if deadline <= facts.now { return .tooLate }
        return quotas.firstBroken(by: facts.usage).map { .quotaExceeded($0) }
    }

    /// The record to write: pending for a credential, active for what needs no making.
    public func record(sequence: UInt64, _ context: StoreContext) -> LeaseRecord {
        let isPending = kind == .credential
        var flags: LeaseRecord.Flags = []
        if isRenewable { flags.insert(.renewable) }
        if parent != nil && bindsToParent { flags.insert(.bindsToParent) }
        if parent != nil && needsParent { flags.insert(.needsParent) }
        return LeaseRecord(
            id: id,
            path: path,
            handle: handle,
            role: role,
            sequence: sequence,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            due: isPending ? deadline : expiresAt,
            operation: context.operation,
            mount: mount,
            generation: 1,
            incarnation: context.incarnation,
            attempts: 0,
            state: isPending ? .pending : .active,
            kind: kind,
            urgency: .expiry,
            flags: flags,
            parentBits: parent ?? LeaseID(high: 0, low: 0),
            lastRenewal: isPending ? deadline.nanosecondsSinceEpoch : .min,
            orderBits: 0,
            claimBits: 0,
            details: fields.isEmpty ? nil : LeaseRecord.Details(fields)
        )
    }
}
