// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Records and credentials: invariants 1, 6 and 11.
extension InvariantChecker {
    /// Every live credential has a record; every stranger is still there.
    func checkCredentials() {
        let now = target.time.read().wall
        var suspects: [TargetPrincipal] = []
        var strangersSeen = 0
        target.settled { state in
            for table in state.tables.values {
                for principal in table.principals.values {
                    guard let mark = principal.mark else {
                        if strangers[principal.name] == principal.number { strangersSeen += 1 }
                        continue
                    }
                    if principal.isLive(at: now), leases[mark.lease]?.state == nil { suspects.append(principal) }
                }
            }
        }
        for principal in suspects { accuse(principal) }
        if strangersSeen < strangers.count {
            violate(11, nil, "a stranger at the target is gone, whom nobody here made")
        }
    }

    private func accuse(_ principal: TargetPrincipal) {
        guard let mark = principal.mark else { return }
        guard let lease = leases[mark.lease] else {
            let violation = "the target holds \(principal.name), and no record ever named it"
            return violate(1, nil, violation)
        }
        if lease.excuse != nil { return }
        if isTrustedToEnd(lease) { return }
        if lease.plan?.abilities.isRevocable == false, let end = principal.endsAt,
            end <= lease.expiresAt + .seconds(60)
        {
            return
        }
        violate(
            1,
            lease,
            "the target holds \(principal.name), and its record is gone (\(lease.outcome.map { "\($0)" } ?? "?"))"
        )
    }

    /// What cannot be ended early is trusted to end by itself: when its record's time was over, it is not looked at again.
    ///
    /// By a clock that is believed and wrong, as after a new boot, that may be early.
    func isTrustedToEnd(_ lease: TrackedLease) -> Bool {
        lease.plan?.abilities.isRevocable == false && lease.outcome == .ended
    }

    /// What a removal claims has to be so at the target at this very moment: invariant 6.
    func checkRemoval(_ lease: TrackedLease, _ outcome: LeaseOutcome) {
        switch outcome {
        case .revoked, .alreadyGone:
            if lease.excuse == nil, !lease.name.isEmpty, isLive(lease.name) {
                violate(6, lease, "it was removed as \(outcome), and the target still holds its credential")
            }
        case .abandoned:
            lease.excuse = lease.excuse ?? "abandoned"
        case .notOurs:
            if lease.excuse == nil, isLive(lease.name) {
                violate(6, lease, "it was removed as not ours, and the target holds its own credential")
            }
        case .ended:
            break
        }
    }

    /// What the target ended was not active any more, or somebody else's: invariants 4 and 11.
    func checkHistory() {
        let events = target.settled { state in Array(state.history[min(seenHistory, state.history.count)...]) }
        seenHistory += events.count
        for (index, event) in events.enumerated() {
            count("target.\(event.operation.rawValue).\(event.action.word)")
            if event.isLate { count("target.late") }
            guard event.action == .ended, let mark = event.mark, let lease = leases[mark.lease] else { continue }
            lease.note("target \(event.at): ended")
            if lease.excuse != nil { continue }
            if lease.state == .active || lease.state == .pending {
                let invariant = homes[mark.deployment] != lease.deployment ? 11 : 4
                let state = lease.state.map { "\($0)" } ?? "gone"
                violate(invariant, lease, "the target ended it for \(mark.deployment), and its record is \(state)")
            }
            checkNeedyChildren(of: lease, before: events[(index + 1)...])
            if !event.isLate { checkPatience(of: lease, at: event.at, before: events[(index + 1)...]) }
        }
    }
}

extension TargetEvent.Action {
    /// The action as one word.
    var word: String {
        switch self {
        case .arrived: "arrived"
        case .made: "made"
        case .moved: "moved"
        case .ended: "ended"
        case .nothingThere: "nothingThere"
        case .notOurs: "notOurs"
        case .left: "left"
        case .read: "read"
        case .refused: "refused"
        }
    }
}
