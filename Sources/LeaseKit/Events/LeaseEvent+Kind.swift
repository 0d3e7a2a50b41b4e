// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseEvent {
    /// What happened.
    ///
    /// The words are stable: they are names for logs and metrics.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// The kind as one word.
        public let rawValue: String
        private init(_ rawValue: String) { self.rawValue = rawValue }

        /// A lease was handed out.
        public static let issued = Kind("issued")
        /// An issue came to nothing; what it may have made is being ended.
        public static let issueFailed = Kind("issueFailed")
        /// A lease's end moved.
        public static let renewed = Kind("renewed")
        /// A renewal failed; the lease runs on as before.
        public static let renewalFailed = Kind("renewalFailed")
        /// A lease's time was over, and it is being ended.
        public static let expired = Kind("expired")
        /// A lease is over: its credential was ended, was gone already, or ended by itself.
        ///
        /// The note says which.
        public static let revoked = Kind("revoked")
        /// A credential ends by itself at a known time.
        public static let ending = Kind("ending")
        /// Ending a credential failed; it is tried again.
        public static let revocationFailed = Kind("revocationFailed")
        /// Ending a credential needs a person; it is tried again, slowly.
        public static let revocationStuck = Kind("revocationStuck")
        /// What bears a lease's name bears another mark, and was left untouched.
        public static let notOurs = Kind("notOurs")
        /// A lease was dropped without ending it.
        public static let abandoned = Kind("abandoned")
        /// A lease left its parent.
        public static let detached = Kind("detached")
        /// A lease cannot be read, and was set aside.
        public static let quarantined = Kind("quarantined")
        /// A stuck or quarantined lease is tried again.
        public static let rearmed = Kind("rearmed")
        /// An order was placed.
        public static let orderPlaced = Kind("orderPlaced")
        /// Everything that an order covers has an outcome.
        public static let orderCompleted = Kind("orderCompleted")
        /// A target cannot be reached; only a probe goes through.
        public static let targetDown = Kind("targetDown")
        /// A target is back.
        public static let targetUp = Kind("targetUp")
        /// Another target answers at a mount's address.
        public static let targetMismatch = Kind("targetMismatch")
        /// A mount's new target was accepted.
        public static let targetAdopted = Kind("targetAdopted")
        /// A backend call did not return by its deadline.
        public static let callOverdue = Kind("callOverdue")
        /// A credential without a lease was found.
        public static let orphanFound = Kind("orphanFound")
        /// A credential without a lease was ended.
        public static let orphanEnded = Kind("orphanEnded")
        /// Nothing is ended by time until somebody says so.
        public static let heldOff = Kind("heldOff")
        /// Ending by time goes on.
        public static let resumed = Kind("resumed")
        /// The machine slept.
        public static let suspended = Kind("suspended")
        /// The store cannot be reached, or refused.
        public static let storeTrouble = Kind("storeTrouble")
        /// Leases of a path that nothing is mounted at are left alone.
        public static let unserved = Kind("unserved")
        /// A lease is not kept alive any longer; the note says why.
        public static let renewalStopped = Kind("renewalStopped")
        /// Renewals begin much later than they should: timers are late, or the rate is too low.
        public static let renewalLate = Kind("renewalLate")
        /// Another broker is asked, for the one before did not answer.
        public static let failedOver = Kind("failedOver")
        /// A rotating credential has a new generation.
        public static let rotated = Kind("rotated")
        /// A replacement could not be made, or was found not to work; what is held stays.
        public static let rotationFailed = Kind("rotationFailed")
        /// A generation was rejected by its target, and is being replaced.
        public static let rejected = Kind("rejected")
        /// A generation is handed out no more; its users may finish.
        public static let draining = Kind("draining")
        /// The last user of a generation is gone, or its grace is over.
        public static let drained = Kind("drained")
        /// A credential is in danger: it could not be renewed, and its time runs out.
        public static let degraded = Kind("degraded")
        /// It is out of danger.
        public static let recovered = Kind("recovered")
        /// Nothing valid is held any more.
        public static let lost = Kind("lost")
        /// The manager runs.
        public static let started = Kind("started")
        /// The manager has stopped; the note names what is left.
        public static let stopped = Kind("stopped")

        /// The kind as one word.
        public var description: String { rawValue }
    }
}
