// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Does all background work until it is cancelled or ``beginShutdown()`` is called.
    ///
    /// Run it once, in a task group or as a service of a service group. Cancelling it begins the shutdown:
    ///
    /// 1. New requests are refused; calls in flight finish.
    /// 2. Over a volatile store, everything is revoked: nobody would remember it.
    /// 3. After ``Configuration/shutdownBudget`` at the latest it returns, and the last event names what is left. That holds
    ///    whatever hangs: a backend, or the store itself.
    ///
    /// - Throws: ``LeaseError`` when it runs already or was stopped before, or when the store cannot be opened.
    public func run() async throws {
        try lifecycle.begin()
        let finished = Reply<Void>()
        try await shielded(on: configuration.executor, finished: finished, onCancel: { self.beginShutdown() }) {
            await self.work(until: finished)
        }
    }

    /// Begins to stop, as cancelling ``run()`` does, and returns at once.
    public func beginShutdown() {
        if lifecycle.beginStopping() { alarm.ring() }
    }

    /// The background work, and beside it the timer that alone lets `run()` return.
    ///
    /// The timer asks the store nothing, so nothing that hangs can keep it. What hangs stays behind in this task group.
    private func work(until finished: Reply<Void>) async {
        let budgeted = Reply<ShutdownBudget>()
        let (isDone, isClosed) = (Alarm(), Alarm())
        let farewell = Locked("the store did not answer; what is left is not known")
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.serve(until: budgeted)
                isDone.ring()
            }
            await lifecycle.stops()
            let budget = ShutdownBudget(from: clock.moment().continuous, configuration.shutdownBudget)
            budgeted.deliver(.success(budget))
            await isDone.wait(until: budget.workEnd, clock.time)
            group.addTask {
                await self.close(farewell)
                isClosed.ring()
            }
            await isClosed.wait(until: budget.end, clock.time)
            publish(LeaseEvent(.stopped, at: clock.now, note: farewell.withLock { $0 }))
            events.finish()
            finished.deliver(lifecycle.startFailure.map { .failure($0) } ?? .success(()))
        }
    }

    /// A loop over what is due, and whatever comes in through the queue.
    private func serve(until budgeted: Reply<ShutdownBudget>) async {
        do {
            let opening = try await opened()
            // Opened after all, when nobody waits for it any more.
            if lifecycle.phase == .stopped { return await ledger.store.close(opening.incarnation) }
            publish(LeaseEvent(.started, at: clock.now, note: "deployment \(deployment(opening))"))
            lifecycle.didStart()
        } catch {
            work.close()
            return lifecycle.failToStart(error)
        }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.deadlines.serve(self.clock.time) }
            group.addTask {
                await self.serveDue()
                if let budget = try? await budgeted.valueWhateverHappens() { await self.windUp(within: budget) }
                self.work.close()
                self.deadlines.close()
            }
            while let jobs = await work.next() {
                for job in jobs { group.addTask { await job() } }
            }
        }
    }

    func publish(_ event: @autoclosure () -> LeaseEvent) { events.publish(event()) }
}
