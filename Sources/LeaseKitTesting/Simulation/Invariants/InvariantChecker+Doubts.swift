// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Stores that fail, are opened, and go: what became of calls that nobody got an answer to.
extension InvariantChecker {
    func didOpen(_ opening: StoreOpening, in deployment: Int) { homes[opening.deployment] = deployment }

    /// A call to a store failed, and this is the record that the store has now.
    ///
    /// After *refused* and *unavailable* nothing was done: that is the contract.
    func didResolve(_ doubt: Doubt, _ found: LeaseRecord?, in deployment: Int) {
        let lease = leases[doubt.change.lease]
        if let found, found.operation == doubt.context.operation {
            count("doubt.done")
            checkKind(doubt, lease)
            let outcome = LeaseChangeOutcome.applied(found)
            didApply(doubt.change, before: doubt.before, parent: doubt.parent, outcome, doubt.context, in: deployment)
            leases[found.id]?.trueEnd = nil
        } else if found == nil, let lease, lease.state != nil, case .update(_, .remove(_, let outcome)) = doubt.change {
            count("doubt.done")
            checkKind(doubt, lease)
            lease.note("\(doubt.context.now) \(doubt.context.incarnation): removed as \(outcome), as was found later")
            lease.outcome = outcome
            lease.generation += 1
            noteBelief(lease, doubt.context)
            if !lease.isHollow { checkRemoval(lease, outcome) }
            forget(lease)
        } else {
            count("doubt.notDone")
            lease?.note("\(doubt.context.now): a change that failed was not done")
        }
    }

    private func checkKind(_ doubt: Doubt, _ lease: TrackedLease?) {
        guard doubt.kind == .refused || doubt.kind == .unavailable else { return }
        violate(0, lease, "a change was made, and the store answered that nothing was done")
    }

    /// A table is gone with everything in it.
    func didLoseTable(of deployment: Int, _ why: String) {
        (doubts[deployment], doubtfulOrders[deployment]) = ([], [])
        // Those that were over before, too: another table counts its leases anew.
        excuseAll(in: deployment, why) { _ in true }
        for id in recorded(in: deployment) {
            holders[id] = nil
            if let lease = leases[id] { forget(lease) }
        }
        needsRefresh[deployment] = false
    }
}
