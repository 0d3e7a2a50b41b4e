// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One durable request to revoke a selection, and how far it has come.
public struct RevocationOrder: Hashable, Sendable, Identifiable {
    /// The order's name, drawn by whoever places it, so that placing it twice is placing it once.
    public let id: RevocationOrderID
    /// What it is about.
    public let selection: LeaseSelection
    /// Why, and who asked.
    public let cause: LeaseCause
    /// Whether it comes before expiries.
    public let urgency: LeaseUrgency
    /// Whether it keeps new leases out of its prefix or mount until it is reopened.
    public var isClosing: Bool
    /// How long a parent waits for its children.
    public let patience: Duration
    /// When it was placed.
    public var placedAt: LeaseInstant
    /// The newest lease that it covers, by sequence.
    ///
    /// Set by the store.
    public var cutoff: UInt64
    /// How far it has come.
    public var progress: OrderProgress
    /// The mount that its lease or the root of its tree must belong to; nil for any.
    ///
    /// Checked by ``refusal(root:hasChildren:)`` when it is placed, and not kept.
    public var mount: MountID?

    /// Makes an order to place.
    public init(
        id: RevocationOrderID,
        selection: LeaseSelection,
        cause: LeaseCause,
        urgency: LeaseUrgency = .ordered,
        isClosing: Bool = false,
        patience: Duration = .seconds(30),
        placedAt: LeaseInstant
    ) {
        self.id = id
        self.selection = selection
        self.cause = cause
        self.urgency = urgency
        self.isClosing = isClosing
        self.patience = patience
        self.placedAt = placedAt
        self.cutoff = 0
        self.progress = OrderProgress()
    }

    /// Whether the order is about this very lease, leaving its ancestors aside.
    ///
    /// An order that was expanded is asked no more: every lease it covers says so itself.
    public func selects(_ record: LeaseRecord) -> Bool {
        if record.sequence > cutoff { return false }
        switch selection {
        case .lease(let id), .tree(let id): return record.id == id
        case .prefix(let prefix): return LeasePath.lies(record.path, under: prefix)
        case .mount(let mount): return record.mount == mount
        }
    }

    /// Decides whether an order about a lease that is there may be placed; nil when it may.
    public func refusal(root: LeaseRecord, hasChildren: Bool) -> ChangeRefusal? {
        if let mount, root.mount != mount { return .notFound }
        if hasChildren, case .lease = selection { return .hasChildren }
        return nil
    }

    /// Whether a closing order keeps a new lease out.
    public func keepsOut(path: String, mount: MountID) -> Bool {
        guard isClosing else { return false }
        switch selection {
        case .lease, .tree: return false
        case .prefix(let prefix): return LeasePath.lies(path, under: prefix)
        case .mount(let id): return mount == id
        }
    }
}

/// The counters of an order.
public struct OrderProgress: Hashable, Sendable {
    /// Whether every lease that it covers was found.
    public var isExpanded = false
    /// How many were found.
    public var covered = 0
    /// How many had their credential ended.
    public var revoked = 0
    /// How many had nothing to end.
    public var alreadyGone = 0
    /// How many bore another mark and were left untouched.
    public var notOurs = 0
    /// How many end by themselves at a known time.
    public var ending = 0
    /// How many an operator dropped.
    public var abandoned = 0
    /// How many are stuck or quarantined now.
    public var stuck = 0

    /// Makes counters at zero.
    public init() {}

    /// How many have an outcome.
    public var finished: Int { revoked + alreadyGone + notOurs + ending + abandoned }
    /// How many are still tried, stuck ones included.
    public var unfinished: Int { covered - finished }
    /// Whether everything has an outcome.
    public var isComplete: Bool { isExpanded && unfinished == 0 }

    /// Counts an outcome.
    public mutating func count(_ outcome: LeaseOutcome) {
        switch outcome {
        case .revoked: revoked += 1
        case .alreadyGone: alreadyGone += 1
        case .notOurs: notOurs += 1
        case .ended: ending += 1
        case .abandoned: abandoned += 1
        }
    }
}

/// A store's answer to an order that was placed.
public struct OrderPlacement: Sendable {
    /// The order as it is now.
    public var order: RevocationOrder
    /// The lease that was claimed in the same step.
    public var claimed: ClaimedLease?
    /// Why it was not placed.
    public var refusal: ChangeRefusal?

    /// Makes an answer.
    public init(order: RevocationOrder, claimed: ClaimedLease? = nil, refusal: ChangeRefusal? = nil) {
        self.order = order
        self.claimed = claimed
        self.refusal = refusal
    }
}
