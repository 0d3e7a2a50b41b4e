// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A deliberate defect, to prove that the checker notices it.
///
/// Each wraps a public seam; the manager knows nothing of it. The quoted sentence is the one of the design that it breaks.
package enum Mutation: String, CaseIterable, Sendable {
    /// What the store says about an activation is not looked at.
    ///
    /// "Store activates by compare-and-set."
    case activatesRegardless
    /// The lease is written down only once its credential is made.
    ///
    /// "Store inserts pending. Durable before the backend is called."
    case forgetsIntent
    /// A parent is ended before the children that need it.
    ///
    /// "Leaves first: a parent waits while its children progress, at most a patience, unless its backend says that it needs
    /// its parent."
    case endsParentFirst
    /// A parent is ended beside its children, though it could wait for them.
    ///
    /// The same sentence.
    case hurriesParents
    /// That a lease is revoked meanwhile does not keep it from being renewed.
    ///
    /// "Extend succeeds only while active."
    case renewsRevoked
    /// A revocation that failed counts as done.
    ///
    /// "Failure to revoke never ends in forgetting."
    case dropsFailures
    /// The wall clock is believed while running.
    ///
    /// "Leases run on elapsed time."
    case trustsWallClock
    /// A worker whose claim lapsed writes all the same.
    ///
    /// "Worker writes carry their claim token, lose if lapsed."
    case ignoresClaims
    /// An order makes a pending lease due at once.
    ///
    /// "An order over a pending lease makes it claimable only when its issuer hands it over, its incarnation is dead, or its
    /// deadline passes."
    case claimsPending
    /// *Gone* ends a lease whose request may still be in flight.
    ///
    /// "For a lease never activated, already gone is a hint only."
    case trustsGone
    /// Writing down a failed attempt brings a removed row back.
    ///
    /// "Worker writes touch only existing rows."
    case upsertsAttempts
    /// Changing a lease looks at cancellation.
    ///
    /// "Insert and reads look at cancellation before they begin; nothing else ever does."
    case marksLookAtCancellation
    /// Placing an order looks at cancellation.
    ///
    /// The same sentence: what a cancelled task revokes is revoked.
    case ordersLookAtCancellation
    /// A restart years ahead believes its wall clock.
    ///
    /// "If the wall is implausibly far ahead (7 d), the clock is disputed."
    case trustsNewBoot
    /// A revocation ends whatever bears the name.
    ///
    /// "A revocation ends only a principal that bears this lease's mark."
    case ignoresMarks
    /// A sweep takes everything for its own.
    ///
    /// "Two deployments on one target never touch each other's."
    case sweepsByName

    /// The situation that brings it to light; nil where ordinary operations do.
    package var scene: Scene? {
        switch self {
        case .activatesRegardless, .claimsPending: .orderWhileIssuing
        case .renewsRevoked: .orderWhileRenewing
        case .ignoresClaims: .lapsedClaim
        case .upsertsAttempts: .lapsedFailure
        case .endsParentFirst: .tree
        case .hurriesParents: .family
        case .marksLookAtCancellation, .ordersLookAtCancellation: .cancelledCallers
        case .trustsWallClock: .wallJump
        case .trustsNewBoot: .restartAhead
        case .forgetsIntent, .dropsFailures, .trustsGone, .ignoresMarks, .sweepsByName: nil
        }
    }

    func prepare(_ target: InMemoryTarget) {
        target.settled { state in
            state.ignoresMarks = self == .ignoresMarks
            state.ignoresDeployments = self == .sweepsByName
            state.listsEverything = self == .sweepsByName
        }
    }

    func time(_ time: VirtualTime) -> (any LeaseTime)? {
        self == .trustsWallClock ? WallClockTime(time: time, start: time.read()) : nil
    }

    func store(_ store: any LeaseStore) -> any LeaseStore { MutantStore(store, self) }
}
