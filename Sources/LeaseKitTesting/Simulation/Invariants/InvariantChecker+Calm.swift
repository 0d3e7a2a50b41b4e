// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// When nothing has been wrong for a while, so that what is right only then can be asked for.
extension InvariantChecker {
    /// A process began, ended, stood still, or serves something else than before.
    func unsettle(_ deployment: Int, lasting length: Duration = .zero) {
        unsettledAt[deployment] = max(unsettledAt[deployment], target.time.read().continuous + length)
    }

    /// Looks whether the target does what it is asked; called after each step.
    func noteTargetHealth() {
        let isWell = target.settled { state in
            state.partitions.isEmpty && !state.isLoginBroken && state.mix.isHarmless
                && state.scripts.values.allSatisfy { $0.allSatisfy(\.isHarmless) }
        }
        let fingerprint = target.fingerprint
        if !isWell || fingerprint != lastFingerprint { targetTroubledAt = target.time.read().continuous }
        lastFingerprint = fingerprint
    }

    /// Whether neither the target nor anything of a deployment has been in trouble for some time.
    func isSettled(_ deployment: Int, for length: Duration) -> Bool {
        let now = target.time.read().continuous
        return !isStoreFailing[deployment] && paused[deployment].isEmpty
            && now - max(targetTroubledAt, unsettledAt[deployment], disturbedAt[deployment]) > length
    }

    /// Whether a credential was live before some events.
    func wasLive(_ lease: TrackedLease, before later: ArraySlice<TargetEvent>) -> Bool {
        let next = later.first { $0.name == lease.name && [.made, .ended].contains($0.action) }?.action
        return next == .ended || next == nil && isLive(lease.name)
    }
}

extension TargetFaultMix {
    /// Whether nothing goes wrong by it.
    fileprivate var isHarmless: Bool {
        failBefore + failAfter + hang + lose + loseReply + delay + late + lateAfterRevoke + duplicate == 0
    }
}

extension TargetFault {
    /// Whether it only takes a little longer.
    fileprivate var isHarmless: Bool {
        switch value {
        case .none: true
        case .delay(let span), .slowReply(let span): span <= .seconds(2)
        default: false
        }
    }
}
