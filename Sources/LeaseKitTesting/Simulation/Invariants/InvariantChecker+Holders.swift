// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What callers were told: invariant 9, and 7 for what they were told in words.
extension InvariantChecker {
    /// A caller holds a credential from now on.
    func didIssue(_ lease: Lease<FakeCredential>, by process: SimulatedProcess) {
        count("issued")
        checkText("\(lease)", "a lease's description")
        guard let tracked = leases[lease.id] else {
            return violate(1, nil, "lease \(lease.id) was handed out, and no record ever named it")
        }
        tracked.note("caller holds it until \(lease.expiresAt)")
        holders[lease.id] = Holder(credential: lease.secret, process: process, validUntil: lease.validUntil)
        if !tracked.wasActive { violate(9, tracked, "it was handed out, and its record was never active") }
        checkValidity(tracked, until: lease.validUntil, process)
    }

    /// A caller was told that a lease runs on.
    func didRenew(_ id: LeaseID, _ outcome: RenewalOutcome, by process: SimulatedProcess) {
        count("renewed")
        guard let tracked = leases[id] else { return }
        tracked.note("caller told: renewed until \(outcome.expiresAt)")
        if !tracked.ends.contains(outcome.expiresAt) && tracked.excuse == nil {
            violate(4, tracked, "a renewal until \(outcome.expiresAt) was answered, and no record ever said so")
        }
        if holders[id]?.process === process {
            holders[id]?.validUntil = outcome.validUntil
            holders[id]?.isOutdated = false
        }
        checkValidity(tracked, until: outcome.validUntil, process)
    }

    /// The target keeps a credential at least as long as its holder was told.
    private func checkValidity(_ lease: TrackedLease, until: Duration, _ process: SimulatedProcess) {
        guard lease.excuse == nil, !lease.name.isEmpty else { return }
        let left = until - process.managerTime.read().continuous
        let now = target.time.read().wall
        guard let end = principal(of: lease)?.endsAt else { return }
        let atTarget = now.duration(to: end)
        if atTarget < left {
            violate(9, lease, "its holder was told \(left) more, and the target keeps it for \(atTarget)")
        }
    }

    /// What a target holds of a lease, if it does.
    func principal(of lease: TrackedLease) -> TargetPrincipal? {
        target.settled { state in
            state.tables.values.compactMap { $0.principals[lease.name] }.first { $0.mark?.lease == lease.id }
        }
    }

    /// What is active and handed out works, until the moment that its holder was told.
    func checkHolders() {
        let now = target.time.read().wall
        var over: [LeaseID] = []
        for (id, holder) in holders {
            guard let lease = leases[id], lease.state == .active, lease.excuse == nil, !holder.process.life.isDead
            else {
                over.append(id)
                continue
            }
            if holder.isOutdated { continue }
            if holder.process.managerTime.read().continuous >= holder.validUntil { continue }
            let works: Bool = target.settled { state in
                state.tables.values.contains {
                    guard let principal = $0.principals[holder.credential.username] else { return false }
                    return principal.isLive(at: now) && principal.password == holder.credential.password
                }
            }
            if works { continue }
            over.append(id)
            violate(9, lease, "its holder was told that it runs on, and the target does not take it any more")
        }
        for id in over { holders[id] = nil }
    }

    /// No secret occurs in any text: every password begins alike, and nothing else does: no text has a tilde.
    func checkText(_ text: String, _ what: String) {
        if text.contains("pw~") { violate(7, nil, "\(what) holds a password: \(text)") }
    }

    func checkBytes(_ bytes: [UInt8], _ lease: TrackedLease) {
        let needle: [UInt8] = [0x70, 0x77, 0x7E]
        guard bytes.count >= 3 else { return }
        for start in 0...(bytes.count - 3) where bytes[start] == needle[0] {
            if bytes[start + 1] == needle[1] && bytes[start + 2] == needle[2] {
                return violate(7, lease, "its record holds a password")
            }
        }
    }
}
