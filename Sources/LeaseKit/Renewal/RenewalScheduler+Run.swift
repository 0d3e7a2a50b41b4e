// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension RenewalScheduler {
    /// Does all the work until it is cancelled or ``beginShutdown()`` is called.
    ///
    /// Run it once, in a task group or as a service of a service group. Cancelling it begins the shutdown: leases are not
    /// renewed any more and run to their ends, and every ``RotatingCredential`` takes no more check-outs, waits for those
    /// that are out, and revokes what it holds. After ``Configuration/shutdownBudget`` at the latest it returns.
    ///
    /// - Throws: ``LeaseError`` when it runs already or was stopped before, or when its configuration makes no sense.
    public func run() async throws {
        try configuration.validate()
        guard try begin() else { return await conclude(letGo()) }
        let finished = Reply<Void>()
        try await shielded(on: configuration.executor, finished: finished, onCancel: { self.beginShutdown() }) {
            await self.work(until: finished)
        }
    }

    /// Begins to stop, as cancelling ``run()`` does, and returns at once.
    public func beginShutdown() {
        let waiters: [Reply<Void>]? = state.withLock { state in
            guard state.phase == .idle || state.phase == .running else { return nil }
            state.phase = state.phase == .idle ? .stopped : .stopping
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let waiters else { return }
        for waiter in waiters { waiter.deliver(.failure(Self.stopped)) }
        alarm.ring()
    }

    /// Enters `running`; false when it was told to stop before, so that there is only to clean up.
    private func begin() throws -> Bool {
        let waiters: [Reply<Void>]? = try state.withLock { state throws(LeaseError) in
            defer { state.hasRun = true }
            switch state.phase {
            case .idle: break
            case .stopped where !state.hasRun: return nil
            case .running: throw LeaseError(.alreadyRunning, "run() of this scheduler is running already; call it once")
            case .stopping, .stopped: throw Self.stopped
            }
            state.phase = .running
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.deliver(.success(())) }
        return true
    }

    /// Waits, but not for ever, until `run()` runs.
    func requireRunning() async throws {
        let reply: Reply<Void>? = try state.withLock { state throws(LeaseError) in
            switch state.phase {
            case .running: return nil
            case .stopping, .stopped: throw Self.stopped
            case .idle:
                let reply = Reply<Void>()
                state.waiters.removeAll { $0.isAbandoned }
                state.waiters.append(reply)
                return reply
            }
        }
        guard let reply else { return }
        if try await reply.value(until: now + configuration.startTimeout, time) == nil {
            throw LeaseError(
                .managerNotRunning,
                "this call needs the run() of its RenewalScheduler, which is not running; start it in a task group or "
                    + "service group"
            )
        }
    }

    /// Whether nothing was ever done here, and nothing is until `run()` begins.
    var isIdle: Bool { state.withLock { !$0.hasRun } }

    static var stopped: LeaseError {
        LeaseError(.managerStopped, "the renewal scheduler is stopping and takes no more; make a new one")
    }

    private func work(until finished: Reply<Void>) async {
        await withDiscardingTaskGroup { group in
            while state.withLock({ $0.phase }) == .running { await turn(&group, atLatest: nil) }
            let deadline = now + configuration.shutdownBudget
            let workers = letGo()
            for worker in workers { worker.close(at: now, until: deadline) }
            while now < deadline, workers.contains(where: { !$0.isClosed }) { await turn(&group, atLatest: deadline) }
            await conclude(workers)
            finished.deliver(.success(()))
            group.cancelAll()
        }
    }

    /// One turn: what is due is begun, then it waits for the next time or for news.
    private func turn(_ group: inout DiscardingTaskGroup, atLatest: Duration?) async {
        alarm.arm(until: .seconds(Int64.max / 4))
        let now = now
        lookAtSleep()
        let due = takeDue(at: now)
        for entry in due.over { release(entry.0, entry.1, .expired) }
        for worker in due.workers { worker.wake(at: now) }
        for job in due.attempts { group.addTask { await job() } }
        let (jobs, next) = state.withLock { state in
            defer { state.jobs = [] }
            return (state.jobs, state.nextWake(configuration, at: now))
        }
        for job in jobs { group.addTask { await job() } }
        let wake = [next, atLatest].compactMap { $0 }.min() ?? now + .seconds(86_400)
        // Sleepers are told apart by suspends: the machine's clocks are compared at least once a minute.
        await alarm.wait(until: min(wake, now + .seconds(60)), time)
    }

    /// Tells of a suspend: timers were late because nothing ran.
    private func lookAtSleep() {
        let reading = time.read()
        let slept = reading.continuous - reading.suspending
        let length: Duration = state.withLock { state in
            defer { state.slept = slept }
            return slept - state.slept
        }
        if length > .seconds(1) { publish(.suspended, note: "the machine slept for \(LeaseDuration.text(of: length))") }
    }

    /// Gives up every lease, and names the workers, which have something to give back.
    private func letGo() -> [any ScheduledWorker] {
        let (leases, workers) = state.withLock { state in
            var leases: [(Int32, UInt32)] = []
            var workers: [any ScheduledWorker] = []
            for (number, slot) in state.slots.enumerated() {
                switch slot.content {
                case .lease: leases.append((Int32(number), slot.generation))
                case .worker(let worker): workers.append(worker)
                case .free: break
                }
            }
            return (leases, workers)
        }
        for (slot, generation) in leases { release(slot, generation, .schedulerStopped) }
        return workers
    }

    private func conclude(_ workers: [any ScheduledWorker]) async {
        let left = workers.count { !$0.isClosed }
        state.withLock { state in
            state.phase = .stopped
            state.slots = []
            state.free = []
            state.jobs = []
            (state.agenda, state.errands) = (RenewalAgenda(), RenewalAgenda())
        }
        for worker in workers { worker.didStop() }
        publish(
            .stopped,
            note: left == 0
                ? "the renewal scheduler has given everything back"
                : "\(left) rotating credentials were not given back in time; their leases run to their ends"
        )
        events.finish()
    }
}
