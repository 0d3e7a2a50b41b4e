// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What happens to a rotating credential.
extension RotationState {
    /// A replacement is there, and works.
    mutating func made(_ made: Made, at now: Duration, random: Double) -> (number: UInt64, actions: [RotationAction]) {
        var actions: [RotationAction] = []
        making = nil
        failures = 0
        want = nil
        notBefore = now
        lastMadeAt = now
        lastGranted = made.term.granted
        if let old = current {
            current = nil
            retire(old, at: now, &actions)
        }
        lastNumber += 1
        current = Current(
            number: lastNumber,
            lease: made.lease,
            term: made.term,
            named: made.named,
            due: made.term.firstAttempt(renewal, made.window, random: random),
            renewedAt: now
        )
        return (lastNumber, actions)
    }

    /// A generation is handed out no more; its users may finish.
    mutating func retire(_ old: Current, at now: Duration, _ actions: inout [RotationAction]) {
        var deadline = rotation.onDeadline == .leaveToExpire ? old.term.end : now + max(.zero, rotation.grace)
        if let closeBy { deadline = min(deadline, now + max(.zero, closeBy - now) / 2) }
        retired.append(
            Retired(
                number: old.number,
                lease: old.lease,
                home: Int(old.term.home),
                end: old.term.end,
                deadline: min(deadline, old.term.end),
                restsUntil: min(isClosing ? now : now + max(.zero, rotation.linger), old.term.end),
                mayBeLive: true
            )
        )
        actions.append(.tell(.draining(number: old.number, users: users[old.number] ?? 0)))
    }

    /// One that came too late or does not work goes back; nobody ever got it.
    mutating func discarded(_ lease: LeaseID, home: Int, until end: Duration, at now: Duration) {
        discards += 1
        retired.append(
            Retired(
                // A number that no generation will ever have.
                number: .max - discards,
                lease: lease,
                home: home,
                end: end,
                deadline: now,
                restsUntil: now,
                mayBeLive: true,
                wasHandedOut: false
            )
        )
    }

    /// A replacement could not be made, or does not work; what is held stays.
    mutating func makingFailed(_ verdict: RenewalVerdict, madeOne: Bool, at now: Duration, random: Double) {
        making = nil
        failures = min(failures + 1, 1_000_000)
        // Also one that answers, but says no: it may be the only one that does. What was made and does not work is no fault of its.
        if !madeOne && failures % max(1, renewal.failoverAfter) == 0 && brokerCount > 1 {
            broker = (broker + 1) % brokerCount
        }
        let left = current.map { $0.term.left(at: now) }
        let wait =
            left.flatMap {
                renewal.retry(
                    afterFailures: failures,
                    left: $0,
                    isRefused: verdict.isRefused,
                    retryAfter: verdict.retryAfter,
                    random: random
                )
            } ?? renewal.retryWithoutLease(afterFailures: failures, isRefused: verdict.isRefused, random: random)
        // One that was made and did not work costs a credential each time.
        notBefore = now + (madeOne ? max(wait, rotation.minimumInterval) : wait)
        if current == nil { want = .nothingHeld }
    }

    /// A renewal of a generation was granted.
    mutating func renewed(
        _ number: UInt64,
        _ outcome: RenewalOutcome,
        askedAt: Duration,
        broker: Int,
        at now: Duration,
        random: Double
    ) {
        guard var held = current, held.number == number else { return }
        held.isRenewing = false
        held.renewedAt = now
        held.due = held.term.extend(outcome, askedAt: askedAt, broker: broker, renewal, random: random)
        held.named = (outcome.expiresAt, outcome.validUntil)
        current = held
        if want == .cannotRenew || want == .failover { want = nil }
        if held.term.isStalled, held.term.left(at: now) <= renewal.danger(granted: lastGranted ?? held.term.granted) {
            wish(.cannotRenew, at: now)
        }
    }

    /// A renewal of a generation failed.
    mutating func renewalFailed(
        _ number: UInt64,
        _ verdict: RenewalVerdict,
        askedAt: Duration,
        at now: Duration,
        random: Double
    ) {
        guard var held = current, held.number == number else { return }
        held.isRenewing = false
        let due = held.term.fail(
            renewal,
            askedAt: askedAt,
            at: now,
            isRefused: verdict.isRefused,
            retryAfter: verdict.retryAfter,
            random: random
        )
        held.due = due
        current = held
        switch verdict {
        case .over(let reason): ended(held.lease, reason, at: now)
        case .final:
            current?.term.makeFinal()
            current?.due = now
            plan(.dueForReplacement, at: now)
        case .unanswered, .refused:
            // Whoever answers, but says no, is asked for another one while there is time for it.
            let window = max(renewal.danger(granted: held.term.granted), held.term.granted / 5)
            if verdict.isAnswered, held.term.left(at: now) <= window { plan(.cannotRenew, at: now) }
            if want == nil, !sharesLeases, brokerCount > 1, Int(held.term.failures) >= max(1, renewal.failoverAfter) {
                broker = (Int(held.term.home) + 1) % brokerCount
                wish(.failover, at: now)
            }
        }
    }

    /// A lease is over before its time.
    mutating func ended(_ lease: LeaseID, _ reason: LeaseLost.Reason, at now: Duration) {
        if let index = retired.firstIndex(where: { $0.lease == lease }) {
            // It is told as soon as it is to be revoked: its credential counts as live until it was seen to go.
            retired[index].deadline = min(retired[index].deadline, now)
            retired[index].restsUntil = now
        } else if current?.lease == lease {
            // Its end is now; the next decision draws the conclusions.
            current?.term.move(to: now, at: now)
        }
    }

    /// Somebody else moved a lease's end.
    mutating func moved(_ lease: LeaseID, to end: LeaseInstant, at now: Duration, random: Double) {
        guard var held = current, held.lease == lease, held.named.end != end else { return }
        let moved = held.named.at + held.named.end.duration(to: end)
        held.named = (end, moved)
        held.term.move(to: moved, at: now)
        if !held.isRenewing { held.due = held.term.firstAttempt(renewal, random: random) }
        current = held
    }

    /// A target did not take a generation; false when that is old news.
    mutating func rejected(_ number: UInt64, at now: Duration) -> Bool {
        guard current?.number == number, want != .rejected else { return false }
        wish(.rejected, at: now, notBefore: max(now, (lastMadeAt ?? now) + rotation.minimumInterval))
        return true
    }

    /// Somebody needs a credential for that long; false when none will ever run that long.
    mutating func demanded(_ validFor: Duration, at now: Duration) -> Bool {
        if let held = current, !held.term.isOver(at: now) {
            if held.term.left(at: now) >= validFor { return true }
            let isOutOfReach = max(lastGranted ?? .zero, held.term.granted) < validFor
            if isOutOfReach { return false }
            // What the last renewal did not lengthen, the next one will not either.
            if held.term.isFinal || held.term.isStalled {
                let earliest = (lastMadeAt ?? now) + rotation.minimumInterval
                if want == nil { wish(.moreTime, at: now, notBefore: max(now, earliest)) }
            } else if !held.isRenewing, held.term.failures == 0 {
                // One that failed is tried again in its time: a loop of callers does not make a loop of attempts.
                current?.due = min(held.due, max(now, held.renewedAt + RenewalPolicy.leastWait))
            }
        } else if making == nil {
            // Somebody waits: the next attempt comes soon, but a loop of callers does not make a loop of attempts.
            notBefore = min(notBefore, max(now, (lastTriedAt ?? now) + RenewalPolicy.leastWait))
        }
        return true
    }

    /// Somebody waits, and what is held was replaced or moved; false when none will ever run that long.
    ///
    /// What has just been made is as good as it gets, and what can be renewed again has its own time for that.
    mutating func awaited(_ validFor: Duration, isRenewal: Bool, at now: Duration) -> Bool {
        guard let held = current, held.term.left(at: now) < validFor else { return true }
        let isLast = isRenewal && (held.term.isFinal || held.term.isStalled)
        let isOutOfReach = max(lastGranted ?? .zero, held.term.granted) < validFor
        return isLast || isOutOfReach ? demanded(validFor, at: now) : true
    }

    /// Somebody takes a generation in hand; false when it is handed out no more.
    mutating func checkedOut(_ number: UInt64, at now: Duration) -> Bool {
        guard isCurrent(number, at: now) else { return false }
        users[number, default: 0] += 1
        return true
    }

    /// Somebody is done with a generation.
    mutating func givenBack(_ number: UInt64) {
        guard let count = users[number] else { return }
        users[number] = count > 1 ? count - 1 : nil
    }

    /// The source was asked to end a generation: it did, or it is tried further.
    mutating func ending(_ number: UInt64, isDone: Bool) {
        guard let index = retired.firstIndex(where: { $0.number == number }) else { return }
        retired[index].wasTried = true
        if isDone { retired.remove(at: index) }
    }

    /// Everything is given back from now on.
    mutating func close(at now: Duration, until deadline: Duration) {
        guard !isClosing else { return }
        isClosing = true
        closeBy = deadline
        for index in retired.indices where !retired[index].isEnding {
            retired[index].deadline = min(retired[index].deadline, now + max(.zero, deadline - now) / 2)
            retired[index].restsUntil = now
        }
    }
}
