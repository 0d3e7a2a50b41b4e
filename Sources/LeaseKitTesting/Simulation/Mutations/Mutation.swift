// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A deliberate defect, to prove that the checker notices it.
///
/// Each wraps a public seam; the manager knows nothing of it.
package enum Mutation: String, CaseIterable, Sendable {
    /// What the store says about an activation is not looked at.
    case activatesRegardless
    /// The lease is written down only once its credential is made.
    case forgetsIntent
    /// A parent is ended before the children that need it.
    case endsParentFirst
    /// What the store says about a renewal is not looked at.
    case renewsRevoked
    /// A revocation that failed counts as done.
    case dropsFailures
    /// The wall clock is believed while running.
    case trustsWallClock
    /// A worker whose claim lapsed writes all the same.
    case ignoresClaims
    /// An order makes a pending lease due at once.
    case claimsPending
    /// *Gone* ends a lease whose request may still be in flight.
    case trustsGone
    /// Writing down a failed attempt brings a removed row back.
    case upsertsAttempts
    /// A change to a lease looks at cancellation.
    case marksLookAtCancellation
    /// A restart years ahead believes its wall clock.
    case trustsNewBoot
    /// A revocation ends whatever bears the name.
    case ignoresMarks
    /// A sweep takes everything for its own.
    case sweepsByName

    func prepare(_ target: InMemoryTarget) {
        target.settled { state in
            state.ignoresMarks = self == .ignoresMarks || self == .sweepsByName
            state.listsEverything = self == .sweepsByName
        }
    }

    func time(_ time: VirtualTime) -> (any LeaseTime)? {
        self == .trustsWallClock ? WallClockTime(time: time, start: time.read()) : nil
    }

    func store(_ store: any LeaseStore) -> any LeaseStore { MutantStore(store, self) }
}

/// Takes the wall clock for elapsed time.
struct WallClockTime: LeaseTime {
    let time: VirtualTime
    let start: TimeReading

    func read() -> TimeReading {
        var reading = time.read()
        let elapsed = start.wall.duration(to: reading.wall)
        reading.continuous = start.continuous + elapsed
        reading.suspending = reading.continuous
        return reading
    }

    func sleep(until deadline: Duration) async throws {
        try await time.sleep(for: max(.milliseconds(10), deadline - read().continuous))
    }
}
