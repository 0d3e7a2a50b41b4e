// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What became of everything that an order covers.
///
/// Each lease is in exactly one of the counts.
public struct RevocationReport: Sendable, Hashable {
    /// The order; ask for its report again by this id.
    public let order: RevocationOrderID
    /// Credentials that are gone because of it.
    public let revoked: Int
    /// Leases that had nothing left to end.
    public let alreadyGone: Int
    /// Leases whose name bears another mark at the target, which was left untouched.
    public let notOurs: Int
    /// Leases that cannot be ended early and end by themselves.
    public let ending: Int
    /// Leases that an operator dropped.
    public let abandoned: Int
    /// Leases whose end is still being tried, without a person's help.
    public let stillTried: Int
    /// Leases whose end needs a person.
    public let stuck: Int
    /// Whether every lease that it covers was found; until then the counts grow.
    public let isExpanded: Bool
    /// The leases without an outcome yet and those that end by themselves: at most a hundred, page for the rest.
    public let remaining: [Remaining]

    /// One lease that is not gone yet.
    public struct Remaining: Sendable, Hashable {
        /// Which one.
        public let lease: LeaseID
        /// Its path and id.
        public let name: String
        /// Where it stands.
        public let state: LeaseState
        /// When it ends by itself, or is tried again.
        public let due: LeaseInstant
        /// What went wrong last.
        public let failure: LeaseFailure?

        /// Makes an entry; sources do that.
        public init(lease: LeaseID, name: String, state: LeaseState, due: LeaseInstant, failure: LeaseFailure? = nil) {
            self.lease = lease
            self.name = name
            self.state = state
            self.due = due
            self.failure = failure
        }
    }

    /// Makes a report; sources do that.
    public init(
        order: RevocationOrderID,
        revoked: Int = 0,
        alreadyGone: Int = 0,
        notOurs: Int = 0,
        ending: Int = 0,
        abandoned: Int = 0,
        stillTried: Int = 0,
        stuck: Int = 0,
        isExpanded: Bool = true,
        remaining: [Remaining] = []
    ) {
        self.order = order
        self.revoked = revoked
        self.alreadyGone = alreadyGone
        self.notOurs = notOurs
        self.ending = ending
        self.abandoned = abandoned
        self.stillTried = stillTried
        self.stuck = stuck
        self.isExpanded = isExpanded
        self.remaining = remaining
    }

    /// Whether everything has an outcome.
    public var isComplete: Bool { isExpanded && stillTried + stuck == 0 }
    /// How many leases the order covers, as far as is known.
    public var covered: Int { revoked + alreadyGone + notOurs + ending + abandoned + stillTried + stuck }

    init(_ order: RevocationOrderID, _ progress: OrderProgress, remaining: [LeaseRecord]) {
        self.init(
            order: order,
            revoked: progress.revoked,
            alreadyGone: progress.alreadyGone,
            notOurs: progress.notOurs,
            ending: progress.ending,
            abandoned: progress.abandoned,
            stillTried: progress.unfinished - progress.stuck,
            stuck: progress.stuck,
            isExpanded: progress.isExpanded,
            remaining: remaining.map {
                Remaining(lease: $0.id, name: $0.name, state: $0.state, due: $0.due, failure: $0.failure)
            }
        )
    }
}

extension RevocationReport: CustomStringConvertible {
    /// One line: `order 00c0ffee…: 3 revoked, 1 stuck`.
    public var description: String {
        let counts: [(Int, String)] = [
            (revoked, "revoked"), (alreadyGone, "already gone"), (notOurs, "not ours"),
            (ending, "ending by themselves"),
            (abandoned, "abandoned"), (stillTried, "still tried"), (stuck, "stuck"),
        ]
        let said = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        let unfinished = isExpanded ? "" : ", still looking for more"
        return "order \(order): \(said.isEmpty ? "nothing to revoke" : said.joined(separator: ", "))\(unfinished)"
    }
}
