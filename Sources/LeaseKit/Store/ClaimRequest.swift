// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a worker asks for.
public struct ClaimRequest: Sendable {
    /// The mount.
    public var mount: MountID
    /// How many it can take.
    public var room: Int
    /// What it may be handed.
    public var scope: ClaimScope
    /// When its claim lapses.
    public var lapsesAt: LeaseInstant

    /// Makes a request.
    public init(mount: MountID, room: Int, scope: ClaimScope = .everything, lapsesAt: LeaseInstant) {
        self.mount = mount
        self.room = room
        self.scope = scope
        self.lapsesAt = lapsesAt
    }
}

/// What a worker may be handed.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ClaimScope: Hashable, Sendable {
    /// Orders and expiries.
    case everything
    /// Orders alone: while the manager is held off, nothing is ended by time.
    case ordered
}

/// A lease in a worker's hands.
public struct ClaimedLease: Sendable {
    /// The record, with its ``LeaseRecord/claim``.
    public var record: LeaseRecord
    /// Whether other leases hang on it.
    public var hasChildren: Bool
    /// Whether it was active until this very claim: its time has run out, and whoever claimed it says so, once.
    public var hasJustExpired: Bool

    /// Makes a claimed lease.
    public init(record: LeaseRecord, hasChildren: Bool, hasJustExpired: Bool = false) {
        self.record = record
        self.hasChildren = hasChildren
        self.hasJustExpired = hasJustExpired
    }
}
