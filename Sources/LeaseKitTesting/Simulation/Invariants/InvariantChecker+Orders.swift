// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Orders and parents: invariant 3.
extension InvariantChecker {
    /// Ending a parent whose child needs it leaves a child that nobody can end.
    ///
    /// What the target did after that in the same step tells what was live at that moment.
    func checkNeedyChildren(of parent: TrackedLease, before later: ArraySlice<TargetEvent>) {
        for id in children[parent.id] ?? [] {
            guard let child = leases[id], child.parent == parent.id, child.plan?.abilities.needsParent == true,
                child.excuse == nil, child.state != .ending
            else { continue }
            guard wasLive(child, before: later) else { continue }
            violate(3, child, "its parent \(parent.id) was ended at the target while it is live and needs it")
        }
    }

    /// A parent waits while its children make progress, as long as its orders let it.
    ///
    /// Nothing but their own work may keep them: where the target, a store or a process was in trouble lately, a child may
    /// have counted as one that makes no progress.
    func checkPatience(of parent: TrackedLease, at end: LeaseInstant, before later: ArraySlice<TargetEvent>) {
        guard let first = children[parent.id], parent.attempts == 0, !parent.orders.isEmpty else { return }
        let isPatient = parent.orders.allSatisfy { placed[$0].map { end + .seconds(1) < $0 } ?? false }
        let ago = end.duration(to: target.time.read().wall)
        guard isPatient, isSettled(parent.deployment, for: ago + .seconds(20)) else { return }
        count("parent.ended")
        for child in first.compactMap({ leases[$0] }) where child.parent == parent.id {
            guard child.attempts == 0, !child.isHollow, child.excuse == nil, wasLive(child, before: later),
                child.plan?.abilities.isRevocable == true, child.isOnItsWay || child.outcome == .revoked
            else { continue }
            violate(3, child, "its parent \(parent.id) was ended before it, and there was time to wait for it")
        }
    }

    /// Nothing that an order covers is live once it was reported complete, but what the report names.
    func checkReport(
        _ report: RevocationReport,
        of selection: LeaseSelection,
        placedAt sequence: UInt64,
        in deployment: Int,
        mounts: [MountID: String]
    ) {
        guard report.isComplete else { return }
        for lease in leases.values where lease.deployment == deployment && lease.sequence <= sequence {
            guard covers(selection, lease, mounts), lease.excuse == nil else { continue }
            if lease.state == .ending || lease.outcome == .notOurs || lease.outcome == .abandoned { continue }
            if lease.outcome == .ended || lease.plan?.abilities.isRevocable == false { continue }
            if lease.state != nil && !lease.isHollow {
                violate(3, lease, "order \(report.order) was reported complete, and its record is still there")
            } else if !lease.name.isEmpty && isLive(lease.name) {
                violate(3, lease, "order \(report.order) was reported complete, and its credential is live")
            }
        }
    }

    private func covers(_ selection: LeaseSelection, _ lease: TrackedLease, _ mounts: [MountID: String]) -> Bool {
        switch selection {
        case .lease(let id): return lease.id == id
        case .prefix(let prefix):
            return LeasePath.lies(lease.path, under: prefix)
                || hasAncestor(lease) { LeasePath.lies($0.path, under: prefix) }
        case .mount(let id):
            guard let path = mounts[id] else { return false }
            return LeasePath.lies(lease.path, under: path)
                || hasAncestor(lease) { LeasePath.lies($0.path, under: path) }
        case .tree(let id): return lease.id == id || hasAncestor(lease) { $0.id == id }
        }
    }

    private func hasAncestor(_ lease: TrackedLease, where condition: (TrackedLease) -> Bool) -> Bool {
        var next = lease.parent
        while let id = next, let parent = leases[id] {
            if condition(parent) { return true }
            next = parent.parent
        }
        return false
    }
}
