// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension RenewalScheduler {
    /// What a turn found.
    struct Due: Sendable {
        /// Leases whose time is over.
        var over: [(Int32, UInt32)] = []
        var workers: [any ScheduledWorker] = []
        /// Renewals to begin.
        var attempts: [Job] = []
    }

    /// Takes everything out that is due and for which there is room.
    func takeDue(at now: Duration) -> Due {
        var late: Duration = .zero
        let due: Due = state.withLock { state in
            var due = Due()
            while let first = state.errands.first, first.due <= now {
                state.errands.remove(first.number)
                if case .worker(let worker) = state.slots[first.number].content { due.workers.append(worker) }
            }
            while let first = state.agenda.first, first.due <= now {
                let slot = state.slots[first.number]
                guard case .lease(let entry) = slot.content, !entry.term.isOver(at: now) else {
                    state.agenda.remove(first.number)
                    due.over.append((Int32(first.number), slot.generation))
                    continue
                }
                guard state.underWay < max(1, configuration.concurrency),
                    state.limiter.take(configuration.rate, at: Self.instant(now)) == nil
                else {
                    due.over += state.takeOver(at: now)
                    return due
                }
                late = max(late, now - first.due)
                state.agenda.remove(first.number)
                state.slots[first.number].isUnderWay = true
                state.underWay += 1
                let (number, generation) = (Int32(first.number), slot.generation)
                due.attempts.append { await self.attempt(entry, number, generation) }
            }
            return due
        }
        if late > configuration.lateness {
            publish(.renewalLate, note: "renewals began up to \(LeaseDuration.text(of: late)) after their time")
        }
        return due
    }

    /// One attempt to renew a lease.
    private func attempt(_ entry: Entry, _ slot: Int32, _ generation: UInt32) async {
        let (route, term) = (entry.route, entry.term)
        let askedAt = now
        let broker = term.broker(route.policy, count: route.brokerCount, areShared: route.sharesLeases)
        if broker != Int(term.home) {
            publish(.failedOver, lease: entry.id, note: "broker \(broker) is asked instead of \(term.home)")
        }
        await attempt(within: route.policy.timeout(left: term.left(at: askedAt))) {
            try await route.renew(entry.id, through: broker)
        } report: { result in
            settle(result, askedAt: askedAt, broker: broker, slot, generation)
        }
    }

    /// What became of an attempt.
    private func settle(
        _ result: Result<RenewalOutcome, any Error>,
        askedAt: Duration,
        broker: Int,
        _ slot: Int32,
        _ generation: UInt32
    ) {
        let now = now
        let random = random()
        var stop: RenewalStop?
        var news: KeptLease.News?
        let entry: Entry? = state.withLock { state in
            state.underWay -= 1
            guard var entry = state.entry(slot, generation) else { return nil }
            state.slots[Int(slot)].isUnderWay = false
            let policy = entry.route.policy
            var due: Duration
            switch result {
            case .success(let outcome):
                due = entry.term.extend(outcome, askedAt: askedAt, broker: broker, policy, random: random)
                news = .renewed(until: entry.term.end)
                if entry.term.isFinal { stop = .atMaximum }
            case .failure(let error):
                var verdict = RenewalVerdict(reading: error)
                // Another broker's not knowing a lease says nothing about it.
                if case .over(.revoked) = verdict, broker != Int(entry.term.home), !entry.route.sharesLeases {
                    verdict = .unanswered(retryAfter: nil)
                }
                due = entry.term.fail(
                    policy,
                    askedAt: askedAt,
                    at: now,
                    isRefused: verdict.isRefused,
                    retryAfter: verdict.retryAfter,
                    random: random
                )
                switch verdict {
                case .over(let reason): stop = RenewalStop(reason)
                case .final(let reason): stop = reason
                default: news = .failed(attempt: Int(entry.term.failures), left: entry.term.left(at: now))
                }
            }
            state.slots[Int(slot)].content = .lease(entry)
            state.agenda.set(Int(slot), due: due)
            return entry
        }
        // Also when it was let go meanwhile: there is room for the next one.
        alarm.ring()
        guard let entry else { return }
        if let news {
            switch news {
            case .renewed: publish(.renewed, lease: entry.id)
            case .failed(let attempt, let left):
                let text = LeaseDuration.text(of: left)
                publish(.renewalFailed, lease: entry.id, note: "attempt \(attempt) failed, \(text) are left")
            case .stopped: break
            }
            entry.onNews?(news)
        }
        if let stop { release(slot, generation, stop) }
    }

    /// Runs `body`, but waits for it no longer than `timeout`; reports exactly once.
    ///
    /// A body that does not end when it is cancelled keeps its own task and nothing else. What it makes after that goes to
    /// `late`.
    func attempt<Value: Sendable>(
        within timeout: Duration,
        _ body: @escaping @Sendable () async throws -> Value,
        late: @escaping @Sendable (Value) async -> Void = { _ in },
        report: @Sendable (Result<Value, any Error>) async -> Void
    ) async {
        let deadline = now + timeout
        await withTaskGroup(of: Result<Value, any Error>?.self) { group in
            group.addTask {
                do { return .success(try await body()) } catch { return .failure(error) }
            }
            group.addTask {
                try? await self.time.sleep(until: deadline)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            if let first { return await report(first) }
            let text = LeaseDuration.text(of: timeout)
            await report(.failure(LeaseError(.deadlineExceeded, "there was no answer within \(text)")))
            if case .success(let value)?? = await group.next() { await late(value) }
        }
    }

    /// A reading of the continuous clock as the rate limiter takes it.
    static func instant(_ continuous: Duration) -> LeaseInstant {
        LeaseInstant(nanosecondsSinceEpoch: continuous.saturatingNanoseconds)
    }
}

extension RenewalScheduler.State {
    /// When there is something to do again.
    func nextWake(_ configuration: RenewalScheduler.Configuration, at now: Duration) -> Duration? {
        [errands.first?.due, nextAttempt(configuration, at: now)].compactMap { $0 }.min()
    }

    /// Takes those out whose time is over while they wait for room behind others: they are told, though no turn of theirs
    /// comes.
    ///
    /// At most once a second, for all that are due are looked at.
    mutating func takeOver(at now: Duration) -> [(Int32, UInt32)] {
        if now < nextLook { return [] }
        nextLook = now + .seconds(1)
        var over: [(Int32, UInt32)] = []
        for number in agenda.numbers(dueBy: now) {
            guard case .lease(let entry) = slots[number].content, entry.term.isOver(at: now) else { continue }
            over.append((Int32(number), slots[number].generation))
        }
        for (number, _) in over { agenda.remove(Int(number)) }
        return over
    }

    private func nextAttempt(_ configuration: RenewalScheduler.Configuration, at now: Duration) -> Duration? {
        guard let first = agenda.first else { return nil }
        if first.due > now { return first.due }
        // Held back: by those under way, whose ends ring, or by the rate.
        if underWay >= max(1, configuration.concurrency) { return max(nextLook, now + .microseconds(100)) }
        let room = limiter.nextRoom(configuration.rate, at: RenewalScheduler.instant(now))
        return max(now + .microseconds(100), min(nextLook, .nanoseconds(room.nanosecondsSinceEpoch)))
    }
}
