// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which leases to list.
///
/// Conditions add up; none means all.
public struct LeaseQuery: Hashable, Sendable {
    /// At this path or below it.
    public var prefix: String?
    /// Directly below this lease.
    public var parent: LeaseID?
    /// In this state.
    public var state: LeaseState?
    /// Of this mount.
    public var mount: MountID?
    /// Held for this owner.
    public var owner: String?
    /// Covered by this order.
    public var order: RevocationOrderID?

    /// Makes a query.
    public init(
        prefix: String? = nil,
        parent: LeaseID? = nil,
        state: LeaseState? = nil,
        mount: MountID? = nil,
        owner: String? = nil,
        order: RevocationOrderID? = nil
    ) {
        self.prefix = prefix
        self.parent = parent
        self.state = state
        self.mount = mount
        self.owner = owner
        self.order = order
    }

    /// Every lease.
    public static let all = LeaseQuery()

    /// Whether a record meets every condition.
    public func matches(_ record: LeaseRecord) -> Bool {
        if let prefix, !LeasePath.lies(record.path, under: prefix) { return false }
        if let parent, record.parent != parent { return false }
        if let state, record.state != state { return false }
        if let mount, record.mount != mount { return false }
        if let owner, record.owner?.hasSameBytes(as: owner) != true { return false }
        if let order, !record.orders.contains(order) { return false }
        return true
    }
}

/// One page of leases.
public struct LeasePage: Sendable {
    /// The leases, in the store's own stable order.
    public var records: [LeaseRecord]
    /// Where to read on; nil after the last page.
    ///
    /// A page may be short, or empty, and still have a next one.
    public var next: LeaseCursor?

    /// Makes a page.
    public init(records: [LeaseRecord], next: LeaseCursor?) {
        self.records = records
        self.next = next
    }

    /// The most records that a page may be asked for.
    public static let maximumSize = 1_000
}
