// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a rotating credential shall do next.
enum RotationAction: Sendable, Hashable {
    case make(attempt: UInt64, broker: Int)
    case renew(number: UInt64, lease: LeaseID, broker: Int, timeout: Duration)
    /// Give a generation back: `retryUntil` is when its own time is over.
    case end(number: UInt64, lease: LeaseID, broker: Int, retryUntil: Duration, isForced: Bool)
    /// Nothing is handed out any more.
    case withdraw(number: UInt64)
    case tell(RotationNews)
}

/// What there is to tell of a rotating credential.
enum RotationNews: Sendable, Hashable {
    case degraded(left: Duration)
    case recovered
    case lost
    case draining(number: UInt64, users: Int)
    case drained(number: UInt64, users: Int)
}

extension RotationState {
    /// Everything that is to be done now; what it names counts as begun.
    mutating func decide(at now: Duration, random: Double) -> [RotationAction] {
        var actions: [RotationAction] = []
        if let held = current, held.term.isOver(at: now) { lose(at: now, &actions) }
        if isClosing { retireCurrent(at: now, &actions) }
        // What is wanted from now on decides whether a drain is cut short.
        if !isClosing { renewIfDue(at: now, &actions) }
        endRetired(at: now, &actions)
        if !isClosing { makeIfWanted(at: now, &actions) }
        tellHealth(at: now, &actions)
        return actions
    }

    /// When it has to decide again if nothing happens before; nil for never.
    func nextWake(at now: Duration) -> Duration? {
        var times: [Duration] = []
        for old in retired where !old.isEnding {
            let isUsed = users[old.number] ?? 0 > 0
            times.append(isUsed ? old.deadline : min(old.deadline, old.restsUntil))
        }
        if let current {
            times.append(current.term.end)
            let danger = current.term.end - renewal.danger(granted: current.term.granted)
            if danger > now { times.append(danger) }
            let lastCall = lastCall(current.term)
            if want == .dueForReplacement || want == .moreTime, lastCall > now { times.append(lastCall) }
            let isPlanned = want == nil || isHeldBack && notBefore > current.due
            if !current.isRenewing, isPlanned || !current.term.isFinal { times.append(current.due) }
        }
        if !isClosing, making == nil, want != nil, !isBlocked(at: now) { times.append(notBefore) }
        return times.min()
    }

    /// The current one is over before anybody took its place.
    private mutating func lose(at now: Duration, _ actions: inout [RotationAction], mayBeLive: Bool = false) {
        guard let lost = current else { return }
        current = nil
        want = .nothingHeld
        // One that is lost as soon as it is made, again and again, is not made in a loop.
        notBefore = max(now, (lastMadeAt ?? now) + RenewalPolicy.leastWait)
        actions.append(.withdraw(number: lost.number))
        retired.append(
            Retired(
                number: lost.number,
                lease: lost.lease,
                home: Int(lost.term.home),
                end: lost.term.end,
                deadline: now,
                restsUntil: now,
                mayBeLive: mayBeLive
            )
        )
    }

    /// The current one is handed out no more; its users may finish.
    private mutating func retireCurrent(at now: Duration, _ actions: inout [RotationAction]) {
        guard let old = current else { return }
        current = nil
        actions.append(.withdraw(number: old.number))
        retire(old, at: now, &actions)
    }

    private mutating func endRetired(at now: Duration, _ actions: inout [RotationAction]) {
        let isPlaceNeeded = !isClosing && making == nil && notBefore <= now && isReplacementUrgent(at: now)
        for index in retired.indices where !retired[index].isEnding {
            let old = retired[index]
            let count = users[old.number] ?? 0
            // A third generation would be one too many: who waits for a replacement goes before who is finishing.
            let isIdle = count == 0 && now >= old.restsUntil
            guard isIdle || now >= old.deadline || isPlaceNeeded else { continue }
            retired[index].isEnding = true
            if old.wasHandedOut { actions.append(.tell(.drained(number: old.number, users: count))) }
            let end = RotationAction.end(
                number: old.number,
                lease: old.lease,
                broker: old.home,
                retryUntil: old.end,
                isForced: count > 0
            )
            actions.append(end)
        }
    }

    /// Whether the next one is wanted more than the users of the one before are to finish.
    private func isReplacementUrgent(at now: Duration) -> Bool {
        switch want {
        case nil, .nothingHeld: false
        // Planned ahead, or asked for by whoever can wait: there is time for both.
        case .dueForReplacement, .moreTime: current.map { now >= lastCall($0.term) } ?? true
        case .cannotRenew, .rejected, .failover: true
        }
    }

    /// When a planned replacement waits no longer.
    private func lastCall(_ term: RenewalTerm) -> Duration {
        term.end - max(renewal.danger(granted: term.granted), term.granted / 5)
    }

    /// Whether two may be live already, so that no third one is made.
    func isBlocked(at now: Duration) -> Bool {
        let live = retired.count { $0.mayBeLive && !$0.wasTried && now < $0.end }
        return live + (current == nil ? 0 : 1) >= 2
    }

    private mutating func renewIfDue(at now: Duration, _ actions: inout [RotationAction]) {
        guard let held = current, !held.isRenewing else { return }
        if now >= held.due {
            if held.term.isFinal {
                plan(.dueForReplacement, at: now)
            } else {
                let broker = held.term.broker(renewal, count: brokerCount, areShared: sharesLeases)
                current?.isRenewing = true
                let timeout = renewal.timeout(left: held.term.left(at: now))
                actions.append(.renew(number: held.number, lease: held.lease, broker: broker, timeout: timeout))
            }
        }
        // The last moment: another one is tried for, whatever the renewals say.
        let danger = renewal.danger(granted: held.term.granted)
        if held.term.failures > 0, held.term.left(at: now) <= danger { plan(.cannotRenew, at: now) }
    }

    private mutating func makeIfWanted(at now: Duration, _ actions: inout [RotationAction]) {
        if current == nil && want == nil { want = .nothingHeld }
        guard want != nil, making == nil, now >= notBefore, !isBlocked(at: now) else { return }
        attempts += 1
        making = attempts
        lastTriedAt = now
        actions.append(.make(attempt: attempts, broker: broker))
    }

    private mutating func tellHealth(at now: Duration, _ actions: inout [RotationAction]) {
        let health = health(at: now)
        let level: Level =
            switch health {
            case .healthy: .healthy
            case .degraded: .degraded
            case .lost: .lost
            }
        defer { toldHealth = level }
        switch (toldHealth, health) {
        case (.degraded, .degraded), (.lost, .lost), (.healthy, .healthy), (nil, .healthy), (nil, .lost): break
        case (_, .degraded(let left)): actions.append(.tell(.degraded(left: left)))
        case (_, .lost): if !isClosing { actions.append(.tell(.lost)) }
        case (_, .healthy): if lastNumber > 1 || toldHealth == .degraded { actions.append(.tell(.recovered)) }
        }
    }

    /// Whether somebody's wish waits until the least time between two replacements is over.
    private var isHeldBack: Bool { (want == .rejected || want == .moreTime) && failures == 0 && making == nil }

    /// Wants another credential because its time has come.
    ///
    /// A wish that is there stays, and is held back no longer.
    mutating func plan(_ reason: Want, at now: Duration) {
        if want == nil { wish(reason, at: now) } else if isHeldBack { notBefore = min(notBefore, now) }
    }

    /// Wants another credential from now on.
    mutating func wish(_ reason: Want, at now: Duration, notBefore time: Duration? = nil) {
        want = reason
        notBefore = max(time ?? now, failures > 0 ? notBefore : .zero)
    }
}
