// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A store's answer to one change.
///
/// Frozen: it was done or it was not. Why not may grow, in ``ChangeRefusal``.
public enum LeaseChangeOutcome: Sendable {
    /// Done; the record as it is now. For a removal, as it was last.
    case applied(LeaseRecord)
    /// Not done, and why.
    case refused(ChangeRefusal)

    /// The record, if it was done.
    public var record: LeaseRecord? {
        if case .applied(let record) = self { record } else { nil }
    }

    /// The refusal, if it was not.
    public var refusal: ChangeRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

/// Why a change was not done.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ChangeRefusal: Error, Hashable {
    /// No such lease.
    case notFound
    /// The id is taken. By the same operation: it is this very insertion, sent twice.
    case duplicateID
    /// A lease answers this request id already.
    case requestRepeated(LeaseID)
    /// The parent is gone, expired, covered by an order, or not active yet.
    case parentNotActive
    /// A closing order refuses new leases here.
    case pathClosed(RevocationOrderID)
    /// A limit is reached.
    case quotaExceeded(LeaseQuotas.Breach)
    /// The lease is not in the state that the change needs.
    case wrongState(LeaseState)
    /// An order covers it.
    case covered(RevocationOrderID)
    /// It changed since it was read.
    case generationChanged(UInt32)
    /// Its time, or its issuing deadline, is over.
    case tooLate
    /// The new end would lie behind the parent's.
    case beyondParent(LeaseInstant)
    /// The new end would lie before the old one.
    case wouldShorten(LeaseInstant)
    /// The claim has lapsed or is another worker's.
    case claimLost
    /// Every use was consumed.
    case noUsesLeft
    /// Other leases hang on it.
    case hasChildren
}
