// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What always has to be so in a holder's world.
extension HolderWorld {
    func check() async {
        let now = time.read()
        for (number, credential) in credentials.enumerated() {
            guard let held = credential.current, !isDisturbed(held) else { continue }
            guard let principal = target.principal(held.secret.username), target.check(held.secret) else {
                violate("1: \(roles[number]) hands out \(held.generation), which its target does not take")
                continue
            }
            if let end = principal.endsAt, now.wall.duration(to: end) < held.validUntil - now.continuous {
                violate("2: \(roles[number]) counts on more time than its target keeps \(held.generation)")
            }
            if case .lost = credential.health { violate("\(roles[number]) holds one, and says that it is lost") }
        }
        await checkRecords()
        checkRates()
    }

    /// Whether it was ended or cut behind its holder's back, so that only its next use or renewal can tell.
    func isDisturbed(_ held: VersionedSecret<FakeCredential>) -> Bool {
        disturbed.contains(held.lease) || wasMovedLate(held.secret)
    }

    /// Whether the target did a renewal that was given up long ago last of all.
    func wasMovedLate(_ credential: FakeCredential) -> Bool {
        let last = target.history.last { event in
            if case .moved = event.action { event.name == credential.username } else { false }
        }
        return last?.isLate ?? false
    }

    /// Invariant 3: the old one and the new one, and never a third.
    private func checkRecords() async {
        guard let records = try? await manager.page(limit: 1_000).records else { return }
        for role in roles {
            let live = records.filter { $0.path == "database/creds/\(role)" && $0.state == .active }
            // One whose order is placed counts as being revoked, before its record says so.
            let held = live.filter { !disturbed.contains($0.id) && $0.expiresAt > time.read().wall && !isOrdered($0) }
            if held.count > 2 { violate("3: \(held.count) credentials of \(role) are live at once") }
        }
    }

    private func isOrdered(_ record: LeaseRecord) -> Bool { record.order != nil }

    /// Invariant 7: no storm of issues or renewals.
    private func checkRates() {
        let since = time.read().wall - .seconds(60)
        let recent = target.history.reversed().prefix { $0.at > since }
        let issues = recent.count { $0.operation == .issue }
        let renewals = recent.count { $0.operation == .renew }
        if issues > 150 { violate("7: \(issues) issues in a minute") }
        if renewals > 400 { violate("7: \(renewals) renewals in a minute") }
    }

    /// Invariants 4, 5 and 6: ten minutes after the last fault.
    func checkConvergence() async {
        guard violations.isEmpty else { return }
        for (number, credential) in credentials.enumerated() {
            guard let held = credential.current, target.check(held.secret) else {
                violate("6: \(roles[number]) has nothing that works, ten minutes after the last fault")
                continue
            }
        }
        let counts = try? await manager.counts()
        if let stuck = counts?[.stuck], stuck > 0 {
            // What was denied needs a person; that it is visible is what is promised.
            for _ in 0..<stuck { count("stuck") }
        }
    }
}
