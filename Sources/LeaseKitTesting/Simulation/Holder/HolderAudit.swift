// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What the holder's side asked its brokers for, written down where it leaves the machine.
///
/// Unchecked, because a simulated run has one thread.
final class HolderAudit: @unchecked Sendable {
    /// What a holder was told of the time of a lease.
    struct Grant {
        let at: Duration
        /// When the answer was there.
        let heard: Duration
        let until: Duration
        let isFinal: Bool
    }

    /// The most attempts to renew a lease between two that come through.
    static let mostAttempts = 50
    /// The most attempts to make a credential of one role within a minute.
    static let mostIssues = 65

    unowned let world: HolderWorld
    private(set) var grants: [LeaseID: Grant] = [:]
    /// The newest credential that somebody got, by role.
    private var newest: [String: LeaseID] = [:]
    private var attempts: [LeaseID: Int] = [:]
    private var issues: [String: [Duration]] = [:]
    /// Leases of which a broker said that no renewal extends them.
    private var finished: Set<LeaseID> = []
    /// Leases whose end was asked for, and those for which the answer was there.
    private(set) var unwanted: Set<LeaseID> = []
    private(set) var given: Set<LeaseID> = []
    /// Leases whose end is looked at next.
    var toLookAt: [LeaseID] = []
    /// Generations that somebody said do not work.
    var rejected: Set<LeaseID> = []
    /// Leases that a pool has seen.
    var handedOut: Set<LeaseID> = []
    /// Roles of which somebody needs one with more time than is left.
    var demands: Set<String> = []

    init(_ world: HolderWorld) { self.world = world }

    func willIssue(_ role: String, at now: Duration) async {
        guard world.roles.contains(role) else { return }
        issues[role, default: []].append(now)
        issues[role]?.removeAll { $0 <= now - .seconds(60) }
        let count = issues[role]?.count ?? 0
        if count > Self.mostIssues { world.violate(7, "\(count) attempts to make a credential of \(role) in a minute") }
        if let old = newest[role], await isGoodEnough(old, role, at: now) {
            let grant = grants[old].map { "\($0.at) to \($0.until), final \($0.isFinal)" } ?? ""
            world.violate(7, "another credential of \(role) is asked for, and nothing calls for it: \(grant)")
        }
    }

    /// Whether nothing calls for another one: the newest is in use, nobody complains, and there is time to renew it.
    private func isGoodEnough(_ lease: LeaseID, _ role: String, at now: Duration) async -> Bool {
        // What was heard at this very instant was not known when this was decided.
        guard let grant = grants[lease], grant.heard < now, now < grant.until, !unwanted.contains(lease),
            !rejected.contains(lease),
            !world.isDisturbed(lease), !demands.contains(role), await world.isActive(lease)
        else { return false }
        let (length, left) = (grant.until - grant.at, grant.until - now)
        // One that no renewal extends is replaced when others are renewed; one that is, when it is in danger.
        let whole = max(length, world.lengths[role] ?? .zero)
        let danger = max(length / 5, min(.seconds(60), whole / 4)) + .seconds(1)
        return left > (grant.isFinal || finished.contains(lease) ? max(length * 0.45, danger) : danger)
    }

    func issued(_ lease: LeaseID, _ role: String?, _ grant: Grant) {
        grants[lease] = grant
        guard let role, world.roles.contains(role) else { return }
        newest[role] = lease
        demands.remove(role)
    }

    func willRenew(_ lease: LeaseID) {
        attempts[lease, default: 0] += 1
        if attempts[lease] == Self.mostAttempts + 1 {
            world.violate(7, "a lease was asked to be renewed more than \(Self.mostAttempts) times in one life")
        }
    }

    func renewalFailed(_ lease: LeaseID, _ error: any Error) {
        let codes: [LeaseError.Code] = [.pastMaximum, .notRenewable]
        if let code = (error as? LeaseError)?.code, codes.contains(code) { finished.insert(lease) }
    }

    func renewed(_ lease: LeaseID, _ grant: Grant) {
        attempts[lease] = 0
        grants[lease] = grant
    }

    func willRevoke(_ lease: LeaseID) { unwanted.insert(lease) }

    func revoked(_ lease: LeaseID) {
        given.insert(lease)
        toLookAt.append(lease)
    }
}
