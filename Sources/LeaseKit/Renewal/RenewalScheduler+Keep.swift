// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension RenewalScheduler {
    /// Keeps a lease alive from now on, before or during ``run()``.
    ///
    /// - Parameters:
    ///   - lease: The lease, as it was just issued.
    ///   - route: Where it is renewed.
    ///   - spread: Whether its first renewal is drawn from the whole time until it would be made: after a restart.
    ///   - onNews: Told what becomes of it, on the task that found out; must not wait.
    /// - Returns: Its name here. A lease that no renewal can extend is not kept, which is the only news of it.
    @discardableResult
    public func keep<Request, Secret>(
        _ lease: Lease<Secret>,
        through route: LeaseRoute<Request, Secret>,
        spread: Bool = false,
        onNews: (@Sendable (KeptLease.News) -> Void)? = nil
    ) -> KeptLease {
        let now = now
        let term = RenewalTerm(lease, askedAt: min(now, lease.validUntil - lease.terms.ttl), broker: 0, route.policy)
        if term.isFinal {
            onNews?(.stopped(lease.isRenewable ? .atMaximum : .notRenewable))
            return nobody
        }
        return keep(lease.id, route, term, lease.window, spread: spread, at: now, onNews)
    }

    /// Keeps a lease alive of which only the name and the end are known: by its keeper's record, after a restart.
    ///
    /// - Parameters:
    ///   - id: The lease.
    ///   - validUntil: When it ends, by the continuous clock.
    ///   - route: Where it is renewed.
    ///   - spread: Whether its first renewal is drawn from the whole time until it would be made.
    ///   - onNews: Told what becomes of it, on the task that found out; must not wait.
    @discardableResult
    public func keep<Request, Secret>(
        _ id: LeaseID,
        validUntil: Duration,
        through route: LeaseRoute<Request, Secret>,
        spread: Bool = true,
        onNews: (@Sendable (KeptLease.News) -> Void)? = nil
    ) -> KeptLease {
        let now = now
        let term = RenewalTerm(from: now, until: validUntil, isFinal: false)
        return keep(id, route, term, nil, spread: spread, at: now, onNews)
    }

    private func keep(
        _ id: LeaseID,
        _ route: any RenewalRoute,
        _ term: RenewalTerm,
        _ window: RenewalWindow?,
        spread: Bool,
        at now: Duration,
        _ onNews: (@Sendable (KeptLease.News) -> Void)?
    ) -> KeptLease {
        var due = term.firstAttempt(route.policy, window, random: random())
        if spread { due = now + max(.zero, due - now) * random() }
        let entry = Entry(id: id, route: route, onNews: onNews, term: term)
        let place: (Int, UInt32)? = state.withLock { state in
            if state.phase == .stopping || state.phase == .stopped { return nil }
            let slot = state.takeSlot(.lease(entry))
            state.agenda.set(slot, due: due)
            return (slot, state.slots[slot].generation)
        }
        guard let place else {
            onNews?(.stopped(.schedulerStopped))
            return nobody
        }
        alarm.ring(ifLaterThan: due)
        return KeptLease(scheduler: self, slot: Int32(place.0), generation: place.1)
    }

    /// The name of a lease that is not kept.
    private var nobody: KeptLease { KeptLease(scheduler: self, slot: 0, generation: .max) }

    /// Lets a lease go.
    func release(_ slot: Int32, _ generation: UInt32, _ reason: RenewalStop) {
        let entry: Entry? = state.withLock { state in
            guard let entry = state.entry(slot, generation) else { return nil }
            state.freeSlot(Int(slot))
            return entry
        }
        guard let entry else { return }
        if reason != .released {
            publish(.renewalStopped, lease: entry.id, note: reason.description)
        }
        entry.onNews?(.stopped(reason))
    }

    /// Makes a lease due at once.
    func advance(_ slot: Int32, _ generation: UInt32) {
        let now = now
        let isMoved = state.withLock { state in
            guard let entry = state.entry(slot, generation), !state.slots[Int(slot)].isUnderWay, !entry.term.isFinal
            else { return false }
            state.agenda.set(Int(slot), due: now)
            return true
        }
        if isMoved { alarm.ring(ifLaterThan: now) }
    }

    /// Takes in a worker, whose time comes at once; nil when the scheduler has stopped.
    func attach(_ worker: any ScheduledWorker) -> Int? {
        let now = now
        let slot: Int? = state.withLock { state in
            if state.phase == .stopping || state.phase == .stopped { return nil }
            let slot = state.takeSlot(.worker(worker))
            state.errands.grow(to: slot + 1)
            state.errands.set(slot, due: now)
            return slot
        }
        alarm.ring(ifLaterThan: now)
        return slot
    }

    /// Lets a worker go, if it is there yet: a scheduler that has stopped knows nobody.
    func detach(_ worker: any ScheduledWorker, from slot: Int) {
        state.withLock { state in
            if state.isHeld(slot, by: worker) { state.freeSlot(slot) }
        }
    }

    /// Sets when a worker's time comes.
    ///
    /// Only notes it: the worker calls this behind its own lock, so that the newest time wins, and ``submit(_:due:)`` after.
    /// What has left meanwhile sets nothing: its place may be another one's.
    func setDue(_ worker: any ScheduledWorker, in slot: Int, _ due: Duration?) {
        state.withLock { state in
            guard state.isHeld(slot, by: worker) else { return }
            if let due { state.errands.set(slot, due: due) } else { state.errands.remove(slot) }
        }
    }

    /// Hands work to `run()`, and wakes it if it would sleep too long.
    func submit(_ jobs: [Job], due: Duration?) {
        if !jobs.isEmpty {
            // Nobody would do them any more, and they would keep alive whoever they are for.
            state.withLock { if $0.phase != .stopped || !$0.hasRun { $0.jobs += jobs } }
            alarm.ring()
        } else if let due {
            alarm.ring(ifLaterThan: due)
        }
    }
}

extension RenewalScheduler.State {
    mutating func takeSlot(_ content: RenewalScheduler.Content) -> Int {
        if let number = free.popLast() {
            slots[Int(number)].content = content
            return Int(number)
        }
        slots.append(RenewalScheduler.Slot(content: content))
        agenda.grow(to: slots.count)
        return slots.count - 1
    }

    mutating func freeSlot(_ number: Int) {
        if case .worker = slots[number].content { errands.remove(number) } else { agenda.remove(number) }
        slots[number].content = .free
        slots[number].generation &+= 1
        slots[number].isUnderWay = false
        free.append(Int32(number))
    }

    /// Whether a place is still that worker's.
    func isHeld(_ number: Int, by worker: any ScheduledWorker) -> Bool {
        guard slots.indices.contains(number), case .worker(let found) = slots[number].content else { return false }
        return found === worker
    }

    /// The lease in a place, if it is still the one that was meant.
    func entry(_ number: Int32, _ generation: UInt32) -> RenewalScheduler.Entry? {
        let number = Int(number)
        guard slots.indices.contains(number), slots[number].generation == generation,
            case .lease(let entry) = slots[number].content
        else { return nil }
        return entry
    }
}
