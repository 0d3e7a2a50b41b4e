// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Does all background work until it is cancelled or ``beginShutdown()`` is called.
    ///
    /// Run it once, in a task group or as a service of a service group. Cancelling it begins the shutdown:
    ///
    /// 1. New requests are refused; calls in flight finish.
    /// 2. Over a volatile store, everything is revoked: nobody would remember it.
    /// 3. After ``Configuration/shutdownBudget`` at the latest it returns, and the last event names what is left.
    ///
    /// - Throws: ``LeaseError`` when it runs already or was stopped before, or when the store cannot be opened.
    public func run() async throws {
        try lifecycle.begin()
        do {
            _ = try await opened()
        } catch {
            _ = lifecycle.finish()
            finish(note: "the store could not be opened")
            throw error
        }
        let finished = Reply<Void>()
        await shielded(on: configuration.executor, finished: finished, onCancel: { self.beginShutdown() }) {
            await self.work(until: finished)
        }
    }

    /// Begins to stop, as cancelling ``run()`` does, and returns at once.
    public func beginShutdown() {
        if lifecycle.beginStopping() { alarm.ring() }
    }

    /// The background work: a loop over what is due, and whatever comes in through the queue.
    private func work(until finished: Reply<Void>) async {
        publish(LeaseEvent(.started, at: clock.now, note: "deployment \(ledger.opening.map(deployment) ?? "?")"))
        let stopBy = Reply<Duration>()
        let isOver = Alarm()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepBudget(stopBy, isOver, finished) }
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await self.serveDue()
                    let now = self.clock.moment().continuous
                    let deadline = now + self.configuration.shutdownBudget
                    stopBy.deliver(.success(deadline))
                    if !self.ledger.store.traits.isDurable {
                        // Half of the budget is kept for the revoking.
                        await self.waitForDemands(until: now + self.configuration.shutdownBudget / 2)
                        await self.revokeEverything(until: deadline)
                    }
                    await self.waitForDemands(until: deadline)
                    self.work.close()
                }
                while let jobs = await work.next() {
                    for job in jobs { group.addTask { await job() } }
                }
            }
            await conclude(finished)
            isOver.ring()
        }
    }

    /// Lets `run()` return when the budget is used up, whatever has not come back by then.
    private func keepBudget(_ stopBy: Reply<Duration>, _ isOver: Alarm, _ finished: Reply<Void>) async {
        guard let deadline = try? await stopBy.valueWhateverHappens() else { return }
        await isOver.wait(until: deadline, clock.time)
        await conclude(finished)
    }

    /// Lets calls in flight finish: what their backends answer has yet to be written down by their callers.
    private func waitForDemands(until deadline: Duration) async {
        while lifecycle.hasDemands, clock.moment().continuous < deadline {
            alarm.arm(until: deadline)
            await alarm.wait(until: deadline, clock.time)
        }
    }

    /// The way out over a volatile store, which nobody will remember: everything is revoked, within the budget.
    private func revokeEverything(until deadline: Duration) async {
        // Drawn once: placing an order again, after the store was in trouble, is placing it once.
        var unplaced = mounts.all.map { (mount: $0.id, order: RevocationOrderID(rawValue: entropy.next() | 1)) }
        while clock.moment().continuous < deadline {
            do {
                while let next = unplaced.first {
                    let options = RevokeOptions(cause: LeaseCause(.shutdown), wait: .zero, orderID: next.order)
                    _ = try await revoke(.mount(next.mount), options)
                    unplaced.removeFirst()
                }
                if try await goesOnRevoking(until: deadline) { continue }
                return
            } catch {
                publish(LeaseEvent(.storeTrouble, at: clock.now, note: "\(error)"))
                try? await clock.time.sleep(until: min(clock.moment().continuous + .seconds(1), deadline))
            }
        }
    }

    /// One round of revoking everything; false when nothing is left that waiting would change.
    private func goesOnRevoking(until deadline: Duration) async throws -> Bool {
        alarm.arm(until: .seconds(Int64.max / 4))
        if try await serveRound() { return true }
        let counts = try await ledger.ask { try await $0.counts(.all) }
        // What ends by itself is not waited for.
        if counts.total == counts[.ending] { return false }
        let wake = try await nextWake()
        let isIdle = mounts.all.allSatisfy { $0.gate.withLock { $0.revocations == 0 } }
        // Nothing runs and nothing comes due in time: waiting would change nothing.
        if isIdle && wake >= deadline { return false }
        await alarm.wait(until: min(wake, deadline), clock.time)
        return true
    }

    /// Says what is left, closes the store and lets `run()` return, once.
    ///
    /// In this order: whoever starts the next manager on the store when `run()` has returned must not find it closed by this
    /// one, and what comes back from a hung call later must not write to it.
    private func conclude(_ finished: Reply<Void>) async {
        guard lifecycle.finish() else { return }
        try? await ledger.store.record(clock.observation())
        let left = (try? await ledger.ask { try await $0.counts(.all) })?.total
        switch (left, ledger.store.traits.isDurable) {
        case (nil, _): finish(note: "the store did not answer; what is left is not known")
        case (0?, _): finish(note: "no lease is left")
        case (let left?, true): finish(note: "\(left) leases stay in the store for the next start")
        case (let left?, false): finish(note: "\(left) leases could not be revoked in time and may still be live")
        }
        if let incarnation = ledger.opening?.incarnation { await ledger.store.close(incarnation) }
        finished.deliver(.success(()))
    }

    private func finish(note: String) {
        publish(LeaseEvent(.stopped, at: clock.now, note: note))
        events.finish()
    }

    /// Names the leases of mounts that are not served here: they are neither claimed nor failed.
    ///
    /// Asked one observation after the start, when an application has had the time to mount its backends.
    func reportUnserved() async {
        guard let registrations = try? await ledger.ask({ try await $0.mounts() }) else { return }
        for registration in registrations where mounts[registration.id] == nil {
            let counts = try? await ledger.ask { try await $0.counts(.mount(registration.id)) }
            guard let total = counts?.total, total > 0 else { continue }
            let note = "\(total) leases wait until a backend of kind \(registration.kind) is mounted here"
            publish(LeaseEvent(.unserved, at: clock.now, path: registration.path, note: note))
        }
    }

    func publish(_ event: @autoclosure () -> LeaseEvent) { events.publish(event()) }
}
