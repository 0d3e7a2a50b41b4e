// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What this process knows of the sessions of one role, and which of them are to be over.
///
/// IAM has no compare-and-set: whoever reads a policy, adds to it and writes it back may lose what another one has written
/// meanwhile. So each process has policies of its own, which nobody else writes, and writes them whole, one after the other.
/// Times are whole seconds by AWS's clock.
final class RoleDenials: Sendable {
    /// A session that this process has asked for.
    private struct Made {
        /// When it was made; nil as long as that is not known.
        var issuedAt: Int64?
        /// When it was asked for.
        let askedAt: Int64
        let endsAt: Int64
        /// Whether somebody may have its secret, and no revocation was asked for.
        var isSpared = true
    }

    private struct State {
        var made: [LeaseID: Made] = [:]
        var denied: [LeaseID: DenialPolicy.Session] = [:]
        /// Of those, the ones that AWS has said it took over.
        var confirmed: Set<LeaseID> = []
        /// The number of the policy that is written to.
        var number = 1
        /// When the last of what that policy denies has lapsed; nil when it was not written yet.
        var lapsesAt: Int64?
        /// Whether others have left too little room in the role for many names.
        var isTight = false
        /// Policies that are not written to any more, and may still be there.
        var spent: [Int] = []
        var nextLook = Int64.min
        /// Not before this is a clear-up tried again that failed.
        var nextClearUp = Int64.min
        var nextPurge = 1_024
    }

    /// One writing of the policy.
    struct Writing: Sendable {
        let number: Int
        let text: String
        let lapsesAt: Int64
        let leases: [LeaseID]
    }

    /// What goes first enters first; one is written at a time.
    let gate = Gate()
    private let state = Locked(State())

    // MARK: Sessions

    /// A session is about to be asked for.
    func asks(_ lease: LeaseID, at now: Int64, endsAt: Int64) {
        state.withLock { state in
            state.made[lease] = Made(askedAt: now, endsAt: endsAt)
            guard state.made.count > state.nextPurge else { return }
            // What is over needs no sparing; a while longer, because clocks may be apart.
            state.made = state.made.filter { $0.value.endsAt + 600 > now }
            state.nextPurge = max(1_024, 2 * state.made.count)
        }
    }

    /// The session is there.
    func made(_ lease: LeaseID, at time: Int64) { state.withLock { $0.made[lease]?.issuedAt = time } }

    /// The answer was lost, and the secret with it: nobody has to be spared.
    func lost(_ lease: LeaseID) { state.withLock { $0.made[lease]?.isSpared = false } }

    /// AWS has said that it made nothing.
    func refused(_ lease: LeaseID) { state.withLock { $0.made[lease] = nil } }

    /// Whether the session can be there, as far as a process knows that has asked for it, or would have.
    func knows(_ lease: LeaseID) -> Bool {
        state.withLock { $0.made[lease] != nil || $0.denied[lease] != nil }
    }

    // MARK: Denials

    /// The next writing denies this session, too.
    func deny(_ lease: LeaseID, endsAt: Int64) {
        state.withLock { state in
            if state.denied[lease] != nil { return }
            let made = state.made.removeValue(forKey: lease)
            state.denied[lease] = .init(lease: lease, issuedAt: made?.issuedAt, endsAt: made?.endsAt ?? endsAt)
        }
    }

    /// Takes a denial back that does not fit.
    func giveUp(_ lease: LeaseID, at now: Int64) {
        state.withLock { state in
            guard !state.confirmed.contains(lease), let session = state.denied.removeValue(forKey: lease) else {
                return
            }
            state.made[lease] = Made(issuedAt: session.issuedAt, askedAt: now, endsAt: session.endsAt, isSpared: false)
        }
    }

    func isDenied(_ lease: LeaseID) -> Bool { state.withLock { $0.confirmed.contains(lease) } }

    /// What is to be written now; nil when it is more than a role takes.
    ///
    /// `isTight` says that the last one was too long for what others have left of the role.
    func writing(at now: Int64, process: String, isTight: Bool = false) -> Writing? {
        state.withLock { state in
            if isTight { state.isTight = true }
            for (lease, session) in state.denied where session.lapsesAt <= now {
                state.denied[lease] = nil
                state.confirmed.remove(lease)
            }
            if let lapsesAt = state.lapsesAt, lapsesAt <= now { Self.close(&state) }
            var policy = DenialPolicy(naming: Array(state.denied.values))
            if state.isTight || policy.isLong { policy = policy.compacted(Self.spared(state)) }
            // A text that is much too long is not worth the making.
            guard policy.names.count * 31 <= DenialPolicy.mostBytes else { return nil }
            let text = policy.text(process)
            guard text.utf8.count <= DenialPolicy.mostBytes, let lapsesAt = policy.lapsesAt else { return nil }
            return Writing(number: state.number, text: text, lapsesAt: lapsesAt, leases: Array(state.denied.keys))
        }
    }

    private static func spared(_ state: State) -> DenialPolicy.Spared {
        var spared = DenialPolicy.Spared()
        for made in state.made.values where made.isSpared {
            if let time = made.issuedAt {
                spared.times.append(time)
            } else {
                // By a clock that may be off a little.
                spared.since = min(spared.since, made.askedAt - 5)
            }
        }
        spared.times.sort()
        return spared
    }

    /// AWS has taken it over.
    func confirm(_ writing: Writing) {
        state.withLock { state in
            state.confirmed.formUnion(writing.leases)
            state.lapsesAt = writing.lapsesAt
        }
    }

    /// Whether AWS has taken it over is not known, and it may do so later, over what is written next.
    ///
    /// So the next writing goes to a policy of another name.
    func doubt(_ writing: Writing) {
        state.withLock { state in if state.number == writing.number { Self.close(&state) } }
    }

    private static func close(_ state: inout State) {
        state.spent.append(state.number)
        state.number += 1
        state.lapsesAt = nil
        state.isTight = false
    }

    // MARK: Clearing up

    /// The policies that nobody needs any more: those that were closed, and the last one when it has lapsed.
    func takeSpent(at now: Int64) -> [Int] {
        state.withLock { state in
            if let lapsesAt = state.lapsesAt, lapsesAt <= now { Self.close(&state) }
            guard state.nextClearUp <= now else { return [] }
            // What was closed in doubt may hold the only denial of a session until the next one is written.
            let isCovered = state.denied.allSatisfy { state.confirmed.contains($0.key) || $0.value.lapsesAt <= now }
            guard isCovered, state.lapsesAt != nil || state.denied.values.allSatisfy({ $0.lapsesAt <= now }) else {
                return []
            }
            defer { state.spent = [] }
            return state.spent
        }
    }

    /// Keeps what could not be removed, for another try some minutes later: an issue that clears up should not wait for it.
    func putBack(_ numbers: some Sequence<Int>, at now: Int64) {
        state.withLock { state in
            state.spent += numbers
            state.nextClearUp = now + 300
        }
    }

    /// Whether it is time to look for what earlier processes have left; an hour later it is again.
    func isLookDue(at now: Int64) -> Bool {
        state.withLock { state in
            guard state.nextLook <= now else { return false }
            state.nextLook = now + 3_600
            return true
        }
    }

    /// Whether there is something to clear up, as far as this process knows.
    func hasSpent(at now: Int64) -> Bool {
        state.withLock { state in
            state.nextClearUp <= now && (!state.spent.isEmpty || (state.lapsesAt.map { $0 <= now } ?? false))
        }
    }
}
