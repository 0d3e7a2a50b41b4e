// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Serves everything that is due, until the shutdown begins.
    ///
    /// Each round: a page of each open order is expanded; each mount is handed as many due leases as it has room for, ordered
    /// ones first. When nothing is left to do it sleeps until the next lease is due, or until it is woken.
    func serveDue() async {
        var nextObservation = Duration.zero
        var observations = 0
        while lifecycle.phase == .running {
            alarm.arm(until: .seconds(Int64.max / 4))
            let moment = clock.moment()
            if moment.continuous >= nextObservation {
                await observe()
                observations += 1
                if observations == 2 { await reportUnserved() }
                nextObservation = moment.continuous + configuration.observationInterval
            }
            do {
                if try await serveRound() { continue }
                // A floor, so that a store that calls a lease due and hands nothing out cannot spin this loop.
                let floor = clock.moment().continuous + .milliseconds(5)
                let wake = max(min(try await nextWake(), nextObservation), floor)
                await alarm.wait(until: wake, clock.time)
            } catch {
                publish(LeaseEvent(.storeTrouble, at: clock.now, note: "\(error)"))
                try? await clock.time.sleep(until: clock.moment().continuous + .seconds(1))
            }
        }
    }

    /// One round over all orders and mounts; true when there may be more to do at once.
    func serveRound() async throws -> Bool {
        await serveGivenUp()
        var isBusy = try await expandOrders()
        // Where others work on the same store, an order may be completed without this manager's help.
        if !ledger.store.traits.isExclusive { await reportFinished(orders.awaited) }
        for mount in mounts.all {
            if try await serve(mount) { isBusy = true }
        }
        return isBusy
    }

    /// Finds the next page of leases of each open order; true when there is more to find.
    private func expandOrders() async throws -> Bool {
        var isBusy = false
        for (id, cause) in orders.unexpanded {
            let context = ledger.context(cause)
            let order: RevocationOrder
            do {
                order = try await ledger.ask { try await $0.expand(id, limit: 256, context) }
            } catch let error as LeaseError where error.code == .storeRefused {
                // Completed elsewhere and forgotten: no reason to keep everything else waiting.
                orders.didExpand(id)
                _ = orders.finish(id)
                publish(LeaseEvent(.storeTrouble, at: clock.now, order: id, note: error.message))
                continue
            }
            if order.progress.isExpanded {
                orders.didExpand(id)
                await reportFinished([id])
            } else {
                isBusy = true
            }
        }
        return isBusy
    }

    /// Claims as many due leases of a mount as it has room for, and sets to work on them; true when there may be more.
    private func serve(_ mount: MountRuntime) async throws -> Bool {
        let now = clock.now
        let isImmediate = mount.abilities.callStyle == .immediate
        var room = mount.gate.withLock { $0.revocationRoom(at: now) }
        guard room > 0 else { return false }
        let (asksFirst, isUp) = mount.gate.withLock { ($0.identity != .confirmed, $0.breaker.isClosed) }
        if isImmediate && isUp && !asksFirst {
            // A store that syncs is asked less often, for more: leases that go together share the pages of its indexes, too.
            let page = ledger.store.traits.isDurable ? 2_048 : 256
            room = min(page, mount.gate.withLock { $0.limiter.room($0.settings.rate, at: now) })
        }
        if asksFirst || mount.awaitsWitnesses {
            // One question is enough to learn whether the target is up, and the right one.
            guard try await hasWork(mount, now) else { return false }
            guard await probe(mount) else { return false }
        }
        let request = ClaimRequest(
            mount: mount.id,
            room: room,
            scope: holdOff.isActive ? .ordered : .everything,
            lapsesAt: now + mount.settings.revokeTimeout + .seconds(10)
        )
        let context = ledger.context(LeaseCause(.expired))
        let claimed = try await ledger.ask { try await $0.claimDue(request, context) }
        guard !claimed.isEmpty else { return false }
        announceExpiries(claimed, now)
        let ready = await readyToEnd(claimed)
        if isImmediate {
            await endInPlace(ready, at: mount)
        } else {
            dispatch(ready, at: mount, now)
        }
        return true
    }

    private func hasWork(_ mount: MountRuntime, _ now: LeaseInstant) async throws -> Bool {
        let scope: ClaimScope = holdOff.isActive ? .ordered : .everything
        let due = try await ledger.ask { try await $0.nextDue([mount.id], scope) }.first ?? nil
        return due.map { $0 <= now } ?? false
    }

    /// Asks a target that was down, or was not asked yet, who it is; true when it is known now to be the right one.
    ///
    /// A target that may take its time is asked by a job of its own, so that it holds up no other mount; the job wakes this
    /// loop again.
    private func probe(_ mount: MountRuntime) async -> Bool {
        guard mount.gate.withLock({ $0.enter(.revocation, at: clock.now, asksFirst: true) }) == nil else {
            return false
        }
        if mount.abilities.callStyle == .immediate {
            defer { mount.leave(.revocation) }
            return await confirmAndPassOn(mount)
        }
        mount.gate.withLock { $0.isProbing = true }
        let isAccepted = work.submit {
            _ = await self.confirmAndPassOn(mount)
            mount.gate.withLock { $0.isProbing = false }
            mount.leave(.revocation)
            self.alarm.ring()
        }
        if !isAccepted {
            mount.gate.withLock { $0.isProbing = false }
            mount.leave(.revocation)
        }
        return false
    }

    /// True when the right target answers; whether it is up is found out by the first lease where it cannot say who it is.
    private func confirmAndPassOn(_ mount: MountRuntime) async -> Bool {
        guard (try? await confirmTarget(of: mount)) != nil else { return false }
        mount.gate.withLock { $0.passProbeOn(at: clock.now) }
        await lookForWitnesses(at: mount)
        return true
    }

    private func announceExpiries(_ claimed: [ClaimedLease], _ now: LeaseInstant) {
        for lease in claimed where lease.hasJustExpired { publish(LeaseEvent(.expired, lease.record, at: now)) }
    }

    /// Each as a job of its own, or in batches where the backend takes them.
    private func dispatch(_ claimed: [ClaimedLease], at mount: MountRuntime, _ now: LeaseInstant) {
        var singles = claimed
        // What cannot be ended early, or has no credential, needs no call.
        if let limit = mount.backend.batchLimit, claimed.count > 1, mount.abilities.isRevocable {
            let continuous = clock.moment().continuous
            let isSingle = claimed.map {
                $0.hasChildren || $0.record.state == .ending || mount.isCalling(about: $0.record.id, at: continuous)
            }
            let batchable = zip(claimed, isSingle).filter { !$0.1 }.map(\.0)
            singles = zip(claimed, isSingle).filter(\.1).map(\.0)
            for start in stride(from: 0, to: batchable.count, by: limit) {
                let batch = Array(batchable[start..<min(start + limit, batchable.count)])
                submit(batch, at: mount, now) { await self.endBatch(batch, at: mount) }
            }
        }
        for lease in singles {
            submit([lease], at: mount, now) { await self.end(lease, at: mount, from: self.clock.moment()) }
        }
    }

    /// Starts a job that holds one place at the mount; without a place or a queue the claim is given back.
    private func submit(
        _ claimed: [ClaimedLease],
        at mount: MountRuntime,
        _ now: LeaseInstant,
        _ job: @escaping @Sendable () async -> Void
    ) {
        if mount.gate.withLock({ $0.enter(.revocation, at: now) }) == nil {
            if work.submit({
                await job()
                self.alarm.ring()
            }) {
                return
            }
            mount.leave(.revocation)
        }
        work.submit {
            let now = self.clock.now
            await self.giveBack(claimed) { _ in now }
            self.alarm.ring()
        }
    }

    /// Gives claims back, each due again at a time.
    func giveBack(_ claimed: [ClaimedLease], due: (LeaseRecord) -> LeaseInstant) async {
        for (cause, leases) in byCause(claimed, \.record) {
            let changes = leases.compactMap { lease in
                lease.record.claim.map { LeaseChange.update(lease.record.id, .release($0, due: due(lease.record))) }
            }
            _ = try? await ledger.ask { try await $0.apply(changes, ledger.context(cause)) }
        }
    }

    /// The earliest moment at which there may be something to do, by the continuous clock.
    func nextWake() async throws -> Duration {
        let served = mounts.all
        let scope: ClaimScope = holdOff.isActive ? .ordered : .everything
        let due = try await ledger.ask { try await $0.nextDue(served.map(\.id), scope) }
        let moment = clock.moment()
        let isWaitingForOthers = !ledger.store.traits.isExclusive && !orders.awaited.isEmpty
        var wake = moment.continuous + (isWaitingForOthers ? .seconds(1) : configuration.observationInterval)
        if let next = givenUp.nextTry { wake = min(wake, next) }
        for (mount, due) in zip(served, due) {
            guard var due else { continue }
            let (room, nextRoom) = mount.gate.withLock {
                ($0.revocationRoom(at: moment.now), $0.nextRoom(at: moment.now))
            }
            if room == 0 {
                // A place that becomes free rings the alarm; time alone brings the rest.
                guard let nextRoom else { continue }
                due = max(due, nextRoom)
            }
            wake = min(wake, moment.continuous(at: due))
        }
        return wake
    }
}
