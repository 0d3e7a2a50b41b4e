// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What must not wait for a deadline, nor come before its time: invariant 2 while the run goes on.
extension InvariantChecker {
    /// Something stood still or failed at a deployment: for a moment nothing can be said about how prompt it is.
    func disturb(_ deployment: Int, lasting length: Duration = .zero, isStoreFailing: Bool? = nil) {
        disturbedAt[deployment] = max(disturbedAt[deployment], target.time.read().continuous + length)
        if let isStoreFailing { self.isStoreFailing[deployment] = isStoreFailing }
    }

    /// A machine of a deployment has a new boot: its wall clock is believed, as far as the design says.
    func didBoot(_ deployment: Int) { bootedAt[deployment] = target.time.read().continuous }

    private func isCalm(_ deployment: Int) -> Bool {
        !isStoreFailing[deployment] && target.time.read().continuous - disturbedAt[deployment] > .seconds(2)
    }

    /// Notes when a lease's time is over by the true clock, however the clocks of its managers go on.
    func noteTrueEnd(_ lease: TrackedLease, _ record: LeaseRecord, _ context: StoreContext) {
        let now = target.time.read().continuous
        guard record.state == .active, isCalm(lease.deployment) else { return lease.trueEnd = nil }
        lease.trueEnd = (now + context.now.duration(to: record.expiresAt), now)
    }

    /// No lease is ended by time while it has time left: an active one works until then.
    ///
    /// A new boot may believe a wall clock that is up to a week ahead of the time that was observed last.
    func checkExpiry(_ lease: TrackedLease, by now: LeaseInstant) {
        guard lease.excuse == nil, let end = lease.trueEnd else { return }
        let left = end.at - target.time.read().continuous
        let lead = left + lease.expiresAt.duration(to: now)
        let believable = end.notedAt <= bootedAt[lease.deployment] ? Duration.seconds(8 * 86_400) : .seconds(60)
        if left > .seconds(60) && lead > believable {
            violate(2, lease, "it was ended by time, and has \(left) left: the clock that says so is \(lead) ahead")
        }
    }

    /// A lease that was never handed out is over when its time to settle is, by the clock that its manager has.
    ///
    /// A new boot may believe a wall clock that is ahead: a request that the target applies after that is found by nobody but a
    /// sweep.
    func noteBelief(_ lease: TrackedLease, _ context: StoreContext) {
        guard lease.state == .settling, lease.excuse == nil, bootedAt[lease.deployment] >= lease.insertedAt else {
            return
        }
        let elapsed = target.time.read().continuous - lease.insertedAt
        if lease.issuedAt.duration(to: context.now) - elapsed > .seconds(60) {
            lease.excuse = "a new boot believed a clock that is ahead"
        }
    }

    /// A lease that nobody holds is with the background work when its caller is told so, not when its deadline comes.
    ///
    /// A manager that stops may leave that to the next one.
    func checkHandedOver(_ lease: TrackedLease, by process: SimulatedProcess?) {
        guard let process, !process.isStopping, !process.hasEnded, lease.excuse == nil, lease.state == .pending,
            isCalm(lease.deployment)
        else { return }
        violate(2, lease, "its caller has given it up, and nobody was told: it waits for its deadline")
    }

    /// An order that was asked for is in the store, whatever became of the task that asked.
    func checkPlaced(_ order: RevocationOrderID, _ id: LeaseID, in deployment: Int) {
        guard isCalm(deployment), placed[order] == nil, let lease = leases[id] else { return }
        guard lease.excuse == nil, lease.state == .active else { return }
        violate(6, lease, "its revocation was asked for by a cancelled task, and no order was placed")
    }
}
