// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What always has to be so in a holder's world.
extension HolderWorld {
    func check() async {
        for (number, credential) in credentials.enumerated() {
            guard let held = credential.current else { continue }
            await check(held, roles[number])
            if case .lost = credential.health { violate(1, "\(roles[number]) holds one, and says that it is lost") }
        }
        await checkRecords()
        checkTrees()
    }

    /// Invariants 1 and 2, for what would be handed out now.
    private func check(_ held: VersionedSecret<FakeCredential>, _ role: String) async {
        if isExcused(held.lease, held.secret, role) { return }
        guard let principal = target.principal(held.secret.username), target.check(held.secret) else {
            return violate(1, "\(role) hands out \(held.generation), which its target does not take")
        }
        guard let record = try? await manager.lease(held.lease), record.state == .active, record.order == nil else {
            return violate(1, "\(role) hands out \(held.generation), which its broker has ended")
        }
        let left = held.validUntil - now
        if brokerNow.duration(to: record.expiresAt) < left {
            let given = brokerNow.duration(to: record.expiresAt)
            violate(2, "\(role) counts on \(left) of \(held.generation), and its broker gave \(given)")
        }
        if let end = principal.endsAt, target.time.read().wall.duration(to: end) < left {
            violate(2, "\(role) counts on \(left) of \(held.generation), and its target keeps it until \(end)")
        }
    }

    /// Whether a lease is active in the store's own sense.
    func isActive(_ lease: LeaseID) async -> Bool {
        guard let record = try? await manager.lease(lease) else { return false }
        return isActive(record)
    }

    func isActive(_ record: LeaseRecord) -> Bool {
        record.state == .active && record.order == nil && record.expiresAt > brokerNow
    }

    /// Whether others did something to a lease.
    func isDisturbed(_ lease: LeaseID) -> Bool { droppedAt[lease] != nil || changedAt[lease] != nil }

    /// Whether the holder cannot know yet that a lease is over.
    func isExcused(_ lease: LeaseID, _ credential: FakeCredential, _ role: String) -> Bool {
        let length = (lengths[role] ?? .zero) + .seconds(1)
        // Nobody tells of what is dropped at the target; no renewal extends it, so that it is over after one length at most.
        if let at = droppedAt[lease], now <= at + length { return true }
        if let at = changedAt[lease] {
            // The news wait for the link, and for the machine to be awake; then they are there within a second.
            if links.contains(where: { $0.cut != nil }) { return now <= at + length }
            let heard = links.map(\.upSince).reduce(max(at, awakeSince), max)
            if now <= heard + .seconds(2) { return true }
        }
        return wasCutLate(credential)
    }

    /// Whether the target did an old renewal after a newer one, and so took back what that one gave.
    ///
    /// A target that does requests out of order can do that to anybody, and no answer tells of it.
    private func wasCutLate(_ credential: FakeCredential) -> Bool {
        var (latest, last) = (LeaseInstant?.none, LeaseInstant?.none)
        var isLate = false
        for event in target.history where event.name == credential.username {
            guard case .moved(let end?) = event.action else { continue }
            latest = max(latest ?? end, end)
            last = end
            isLate = event.isLate
        }
        guard isLate, let last, let latest else { return false }
        return last < latest && target.principal(credential.username) != nil
    }

    /// Invariants 3 and 5: the old one and the new one, and what is given back is being ended.
    private func checkRecords() async {
        guard let records = try? await manager.page(limit: 1_000).records else { return }
        for role in roles {
            // What nobody got an answer about is nobody's, and ends by itself; what is given back counts when it is answered.
            let live = records.filter {
                $0.path == "database/creds/\(role)" && isActive($0) && audit.grants[$0.id] != nil
                    && !audit.unwanted.contains($0.id)
            }
            if live.count > 2 { violate(3, "\(live.count) credentials of \(role) are live at once") }
        }
        let standing = Set(records.filter { isActive($0) }.map(\.id))
        for lease in audit.toLookAt where standing.contains(lease) {
            violate(5, "a lease was given back, its broker said so, and it is active")
        }
        audit.toLookAt = []
    }

    /// Invariant 4.
    func checkTrees() {
        for tree in trees.values where tree.isReportedComplete {
            let live = tree.children.count { target.check($0) }
            if live > 0 { violate(4, "\(live) credentials are live below a parent that was reported to be ended") }
        }
    }
}
