// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A query that was answered to a user that was not to be used any more, and what tells why.
struct Misuse: Sendable, CustomStringConvertible {
    /// Whether the server lets the user log in; nil when it does not know it any more.
    let mayLogIn: Bool?
    /// The state of the lease; nil when there is no record of it any more.
    let state: LeaseState?
    /// What was left of the lease when the answer was there; less than nothing when it was over.
    let left: Duration?
    /// Where the generation stood, in a pool that knows.
    let standing: CredentialUse.Standing?
    /// How long the pool took to lend the connection.
    let waited: Duration
    /// How long the credential was good when it was lent, in a pool that knows.
    let lentWith: Duration?
    /// How long the query took.
    let query: Duration
    /// How long the connection was in hand, with the look at its user.
    let held: Duration

    /// Nil when the user was as it has to be: able to log in, with an active lease whose time is not over.
    init?(
        _ mayLogIn: String?,
        _ record: LeaseRecord?,
        at now: LeaseInstant,
        standing: CredentialUse.Standing?,
        waited: Duration,
        lentWith: Duration?,
        query: Duration,
        held: Duration
    ) {
        let left = record.map { now.duration(to: $0.expiresAt) }
        if mayLogIn == "t", record?.state == .active, let left, left > .zero { return nil }
        self.mayLogIn = mayLogIn.map { $0 == "t" }
        state = record?.state
        self.left = left
        self.standing = standing
        self.waited = waited
        self.lentWith = lentWith
        self.query = query
        self.held = held
    }

    var description: String {
        let user = mayLogIn.map { $0 ? "could log in" : "could not log in" } ?? "was gone"
        let lease = state.map { "\($0) with \(left.map(\.inMilliseconds) ?? "?") left" } ?? "gone"
        let generation = standing.map { "\($0)" } ?? "unknown"
        let lent = lentWith.map { ", lent with \($0.inMilliseconds)" } ?? ""
        return "the user \(user), its lease was \(lease), its generation \(generation); waited \(waited.inMilliseconds)"
            + "\(lent), held \(held.inMilliseconds), of it the query \(query.inMilliseconds)"
    }
}
