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
            _ = lifecycle.beginStopping()
            finish(note: "the store could not be opened")
            throw error
        }
        let finished = Reply<Void>()
        await shielded(on: configuration.executor, finished: finished, onCancel: { self.beginShutdown() }) {
            await self.work(until: finished)
        }
    }

    /// Begins to stop: the same as cancelling ``run()``, from anywhere. Returns at once.
    public func beginShutdown() {
        guard lifecycle.beginStopping() else { return }
        alarm.ring()
        if lifecycle.phase == .stopped { finish(note: "it never ran") }
    }

    /// The background work: a loop over what is due, and whatever comes in through the queue.
    private func work(until finished: Reply<Void>) async {
        publish(LeaseEvent(.started, at: clock.now, note: "deployment \(ledger.opening.map(deployment) ?? "?")"))
        await reportUnserved()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.serveDue()
                await self.drain(finished)
                self.work.close()
            }
            while let jobs = await work.next() {
                for job in jobs { group.addTask { await job() } }
            }
        }
        await ledger.store.close()
    }

    /// The way out: volatile leases are revoked, within the budget.
    private func drain(_ finished: Reply<Void>) async {
        let deadline = clock.moment().continuous + configuration.shutdownBudget
        work.submit {
            // Whatever does not answer by then is left to itself; run() returns.
            try? await self.clock.time.sleep(until: deadline)
            if !finished.isAbandoned {
                await self.conclude()
                finished.deliver(.success(()))
            }
        }
        if !ledger.store.traits.isDurable { await revokeEverything(until: deadline) }
        try? await ledger.store.record(clock.observation())
        await conclude()
        finished.deliver(.success(()))
    }

    /// Says what is left, once.
    private func conclude() async {
        guard lifecycle.phase != .stopped else { return }
        lifecycle.finish()
        let left = (try? await ledger.ask { try await $0.counts(.all) })?.total
        switch (left, ledger.store.traits.isDurable) {
        case (nil, _): finish(note: "the store did not answer; what is left is not known")
        case (0?, _): finish(note: "no lease is left")
        case (let left?, true): finish(note: "\(left) leases stay in the store for the next start")
        case (let left?, false): finish(note: "\(left) leases could not be revoked in time and may still be live")
        }
    }

    private func finish(note: String) {
        publish(LeaseEvent(.stopped, at: clock.now, note: note))
        events.finish()
    }

    /// Names the leases of mounts that are not served here: they are neither claimed nor failed.
    private func reportUnserved() async {
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
