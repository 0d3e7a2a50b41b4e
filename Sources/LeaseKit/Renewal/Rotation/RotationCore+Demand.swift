// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What holders ask a rotating credential.
extension RotationCore {
    /// Waits for a credential that is good for a while.
    func wait(validFor: Duration, within limit: Duration) async throws -> HeldCredential {
        try Task.checkCancellation()
        try await scheduler.requireRunning()
        let reply = Reply<HeldCredential>()
        var isReachable = true
        var isOpen = true
        change { inner, now, _ in
            isOpen = !inner.isStopped && !inner.state.isClosing
            isReachable = inner.state.demanded(validFor, at: now)
            guard isOpen, isReachable else { return [] }
            inner.waiters.removeAll { $0.reply.isAbandoned }
            inner.waiters.append(Waiter(reply: reply, validFor: validFor))
            return []
        }
        guard isOpen else { throw RenewalScheduler.stopped }
        guard isReachable else { throw Self.outOfReach(validFor) }
        if let held = try await reply.value(until: scheduler.now + limit, scheduler.time) { return held }
        let cause = inner.withLock { $0.lastError }
        throw LeaseError(
            .deadlineExceeded,
            "no valid credential was there within \(LeaseDuration.text(of: limit))"
                + (cause.map { "; the last attempt: \(Self.safeText(of: $0))" } ?? ""),
            underlying: cause
        )
    }

    static func outOfReach(_ validFor: Duration) -> LeaseError {
        LeaseError(
            .pastMaximum,
            "no credential of this role is granted for \(LeaseDuration.text(of: validFor)); ask for less, or raise its "
                + "limits"
        )
    }

    func checkOut(_ number: UInt64) throws {
        let now = scheduler.now
        let current: (isTaken: Bool, number: UInt64?) = inner.withLock { inner in
            (inner.state.checkedOut(number, at: now), inner.state.current?.number)
        }
        if current.isTaken { return }
        throw LeaseError(
            .leaseNotActive,
            "generation #\(number) is not handed out any more"
                + (current.number.map { "; the current one is #\($0)" } ?? "; none is held")
        )
    }

    func giveBack(_ number: UInt64) {
        let isNews = inner.withLock { inner in
            inner.state.givenBack(number)
            // The end of a drain, perhaps.
            return inner.state.current?.number != number
        }
        if isNews { change { _, _, _ in [] } }
    }

    func reject(_ number: UInt64) {
        var isNew = false
        var lease: LeaseID?
        change { inner, now, _ in
            isNew = inner.state.rejected(number, at: now)
            lease = inner.state.current?.lease
            return []
        }
        if isNew { scheduler.publish(.rejected, lease: lease, note: "generation #\(number) is being replaced") }
    }

    func standing(of number: UInt64) -> CredentialUse.Standing {
        let now = scheduler.now
        return inner.withLock { inner in
            if inner.state.isCurrent(number, at: now) { return .current }
            let isDraining = inner.state.retired.contains { $0.number == number && !$0.isEnding && now < $0.end }
            return isDraining ? .draining : .over
        }
    }

    func timeLeft(of number: UInt64) -> Duration {
        let now = scheduler.now
        return inner.withLock { $0.state.timeLeft(of: number, at: now) }
    }

    var health: CredentialHealth {
        let now = scheduler.now
        return inner.withLock { $0.state.health(at: now) }
    }

    /// Whether no generation will come any more.
    var isOver: Bool { inner.withLock { $0.isStopped || $0.state.isClosing } }

    func add(_ reader: Alarm) -> UInt64 {
        inner.withLock { inner in
            inner.readerCount += 1
            inner.readers[inner.readerCount] = reader
            return inner.readerCount
        }
    }

    func removeReader(_ number: UInt64) { inner.withLock { _ = $0.readers.removeValue(forKey: number) } }

    /// Gives everything back, and waits for that.
    func close(within limit: Duration) async {
        let deadline = scheduler.now + limit
        let reply = Reply<Void>()
        beginClosing(until: deadline, reply)
        _ = try? await reply.value(until: deadline, scheduler.time)
        leave()
    }

    /// Takes no more check-outs and no more waiters, and begins to give everything back.
    func beginClosing(until deadline: Duration, _ closer: Reply<Void>?) {
        var waiters: [Waiter] = []
        var alarms: [Alarm] = []
        var isStopped = false
        change { inner, now, _ in
            isStopped = inner.isStopped
            // What waits for a run() that has not begun is not made any more.
            if scheduler.isIdle { inner.state.making = nil }
            inner.state.close(at: now, until: deadline)
            if let closer { inner.closers.append(closer) }
            swap(&waiters, &inner.waiters)
            alarms = Array(inner.readers.values)
            return []
        }
        for waiter in waiters { waiter.reply.deliver(.failure(RenewalScheduler.stopped)) }
        for alarm in alarms { alarm.ring() }
        if isStopped { closer?.deliver(.success(())) }
    }
}
