// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease that a ``RenewalScheduler`` keeps alive: a small value that names it.
public struct KeptLease: Sendable {
    let scheduler: RenewalScheduler
    let slot: Int32
    let generation: UInt32

    /// What becomes of a kept lease.
    public enum News: Sendable, Hashable {
        /// It was renewed and now runs until then, by the continuous clock.
        case renewed(until: Duration)
        /// A renewal failed; it is tried again, and so much time is left.
        case failed(attempt: Int, left: Duration)
        /// It is not kept any longer.
        ///
        /// The last news.
        case stopped(RenewalStop)
    }

    /// How a kept lease stands.
    public struct Status: Sendable, Hashable {
        /// Until when it is valid, by the continuous clock.
        public let validUntil: Duration
        /// How many renewals have failed in a row.
        public let failures: Int
        /// When it is renewed next; nil while a renewal is under way.
        public let nextAttempt: Duration?
    }

    /// How it stands; nil when it is not kept any more.
    public var status: Status? {
        scheduler.state.withLock { state in
            guard let entry = state.entry(slot, generation) else { return nil }
            return Status(
                validUntil: entry.term.end,
                failures: Int(entry.term.failures),
                nextAttempt: state.agenda.due(of: Int(slot))
            )
        }
    }

    /// Stops keeping it; the lease itself runs on until its end.
    public func release() { scheduler.release(slot, generation, .released) }

    /// Renews it as soon as there is room, whenever its time would be.
    public func renewNow() { scheduler.advance(slot, generation) }
}
