// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The shell around ``RotationState``: its lock, its waiters, and the calls that it makes as children of the scheduler's
/// `run()`.
final class RotationCore: ScheduledWorker {
    /// What is behind the lock.
    struct Inner: Sendable {
        var state: RotationState
        var candidate: CredentialCandidate?
        var waiters: [Waiter] = []
        var closers: [Reply<Void>] = []
        var readers: [UInt64: Alarm] = [:]
        var readerCount: UInt64 = 0
        /// Who follows what others do to each generation.
        var watches: [UInt64: ChangeWatch] = [:]
        var lastError: (any Error)?
        var path = ""
        var isStopped = false
    }

    /// Somebody who waits for a credential.
    struct Waiter: Sendable {
        let reply: Reply<HeldCredential>
        let validFor: Duration
    }

    /// What a change leaves to do when the lock is left.
    struct Aftermath {
        var jobs: [RenewalScheduler.Job] = []
        var due: Duration?
        var news: [(LeaseEvent.Kind, LeaseID?, String)] = []
        var answers: [(Reply<HeldCredential>, Result<HeldCredential, any Error>)] = []
        var alarms: [Alarm] = []
        var watches: [ChangeWatch] = []
        var closers: [Reply<Void>] = []
        var path = ""
        /// Whether everything has been given back.
        var isClosed = false
    }

    let scheduler: RenewalScheduler
    let calls: RotationCalls
    let policy: RotationPolicy
    let inner: Locked<Inner>
    private let held = Locked<HeldCredential?>(nil)
    private let slot = Locked<Int?>(nil)

    init(_ scheduler: RenewalScheduler, _ calls: RotationCalls, _ state: RotationState) {
        self.scheduler = scheduler
        self.calls = calls
        policy = state.rotation
        inner = Locked(Inner(state: state))
    }

    /// Takes its place in the scheduler; the first credential is made as soon as that runs.
    func start() {
        guard let number = scheduler.attach(self) else { return didStop() }
        slot.withLock { $0 = number }
        change { _, _, _ in [] }
    }

    /// What is handed out now, if it is valid.
    var current: HeldCredential? {
        guard let found = held.withLock({ $0 }) else { return nil }
        return found.isSurelyValid || scheduler.now < found.validUntil ? found : nil
    }

    /// Leaves the scheduler once everything is given back.
    func leave() {
        guard isClosed,
            let number = slot.withLock({ slot in
                defer { slot = nil }
                return slot
            })
        else { return }
        scheduler.detach(self, from: number)
    }

    func wake(at now: Duration) { change { _, _, _ in [] } }

    func close(at now: Duration, until deadline: Duration) { beginClosing(until: deadline, nil) }

    var isClosed: Bool { inner.withLock { $0.state.isClosed } }

    func didStop() {
        let (waiters, closers, alarms, watches) = inner.withLock { inner in
            inner.isStopped = true
            inner.state.isClosing = true
            defer { (inner.waiters, inner.closers) = ([], []) }
            return (inner.waiters, inner.closers, Array(inner.readers.values), Array(inner.watches.values))
        }
        held.withLock { $0 = nil }
        for waiter in waiters { waiter.reply.deliver(.failure(RenewalScheduler.stopped)) }
        for closer in closers { closer.deliver(.success(())) }
        for alarm in alarms { alarm.ring() }
        for watch in watches { watch.stop() }
    }

    /// Changes the state, decides what follows, and does it.
    @discardableResult
    func change(
        _ body: (inout Inner, Duration, Double) -> [RotationAction]
    ) -> [RotationAction] {
        let (now, random) = (scheduler.now, scheduler.random())
        let slot = slot.withLock { $0 }
        let (aftermath, actions): (Aftermath, [RotationAction]) = inner.withLock { inner in
            var actions = body(&inner, now, random)
            guard !inner.isStopped else { return (Aftermath(), []) }
            var after = Aftermath(path: inner.path)
            askAgain(&inner, at: now, &after)
            actions += inner.state.decide(at: now, random: random)
            for action in actions { follow(action, &inner, &after) }
            publish(&inner, at: now, &after)
            after.due = inner.state.nextWake(at: now)
            if let slot { scheduler.setDue(self, in: slot, after.due) }
            if inner.state.isClosed {
                after.isClosed = true
                after.closers = inner.closers
                inner.closers = []
                after.alarms += inner.readers.values
                // A scheduler that stops waits for this, and for nothing else.
                after.due = now
            }
            return (after, actions)
        }
        for (kind, lease, note) in aftermath.news {
            scheduler.publish(kind, lease: lease, path: aftermath.path, note: note)
        }
        for (reply, result) in aftermath.answers { reply.deliver(result) }
        for alarm in aftermath.alarms { alarm.ring() }
        for watch in aftermath.watches { watch.stop() }
        for closer in aftermath.closers { closer.deliver(.success(())) }
        scheduler.submit(aftermath.jobs, due: aftermath.due)
        if aftermath.isClosed { leave() }
        return actions
    }

    /// What an action means, behind the lock: the calls are left for later.
    private func follow(_ action: RotationAction, _ inner: inout Inner, _ after: inout Aftermath) {
        switch action {
        case .make(let attempt, let broker):
            after.jobs.append { await self.make(attempt, through: broker) }
        case .renew(let number, let lease, let broker, let timeout):
            after.jobs.append { await self.renew(number, lease, through: broker, within: timeout) }
        case .end(let number, let lease, let broker, let retryUntil, _):
            if let watch = inner.watches.removeValue(forKey: number) { after.watches.append(watch) }
            after.jobs.append { await self.end(number, lease, home: broker, retryUntil: retryUntil, tries: 0) }
        case .withdraw(let number):
            if held.withLock({ $0?.number }) == number { held.withLock { $0 = nil } }
        case .tell(let news): after.news.append(news.event(inner.state.current?.lease))
        }
    }

    /// Looks again at what everybody waits for when what is held has changed: who waits for more than is ever granted is told
    /// so, and what no renewal brings is wanted from a replacement.
    private func askAgain(_ inner: inout Inner, at now: Duration, _ after: inout Aftermath) {
        guard !inner.waiters.isEmpty, !inner.state.isClosing, let current = inner.state.current else { return }
        let latest = held.withLock { $0 }
        let isRenewal = latest?.number == current.number
        if isRenewal && latest?.validUntil == current.term.end { return }
        var left: [Waiter] = []
        for waiter in inner.waiters {
            if inner.state.awaited(waiter.validFor, isRenewal: isRenewal, at: now) {
                left.append(waiter)
            } else {
                after.answers.append((waiter.reply, .failure(Self.outOfReach(waiter.validFor))))
            }
        }
        inner.waiters = left
    }

    /// Hands out what is current, with its newest end, and answers those who can be answered.
    private func publish(_ inner: inout Inner, at now: Duration, _ after: inout Aftermath) {
        guard let current = inner.state.current, let candidate = inner.candidate, candidate.lease == current.lease
        else { return }
        var latest = held.withLock { $0 }
        if latest?.number != current.number || latest?.validUntil != current.term.end {
            if latest?.number != current.number { after.alarms += inner.readers.values }
            let freshness = scheduler.isSystem ? Freshness(left: current.term.end - now) : nil
            let made = candidate.hold(current.number, current.term.end, freshness)
            held.withLock { $0 = made }
            latest = made
        }
        guard let latest, !inner.waiters.isEmpty else { return }
        let left = current.term.left(at: now)
        for waiter in inner.waiters where waiter.validFor <= left {
            after.answers.append((waiter.reply, .success(latest)))
        }
        inner.waiters.removeAll { $0.validFor <= left || $0.reply.isAbandoned }
    }
}

extension RotationNews {
    /// The news as an event.
    func event(_ lease: LeaseID?) -> (LeaseEvent.Kind, LeaseID?, String) {
        switch self {
        case .degraded(let left):
            (.degraded, lease, "it could not be renewed, and \(LeaseDuration.text(of: left)) are left")
        case .recovered: (.recovered, lease, "it is out of danger")
        case .lost: (.lost, nil, "nothing valid is held; another one is being made")
        case .draining(let number, let users): (.draining, nil, "generation #\(number) has \(users) users left")
        case .drained(let number, let users):
            (
                .drained, nil,
                users == 0
                    ? "generation #\(number) has no users left"
                    : "generation #\(number) is ended under \(users) users"
            )
        }
    }
}
