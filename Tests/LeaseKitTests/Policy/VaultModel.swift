// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The rules of Vault's TTL calculator once more, in numbers of nanoseconds and in the order they are written down.
///
/// Kept apart from the policy on purpose: it shares no step with it, so that a slip in one shows against the other.
struct VaultModel {
    var serverDefault = 0
    var serverMax = 0
    var mountDefault = 0
    var mountMax = 0
    var backendTTL = 0
    var backendMax = 0
    var increment = 0
    var period = 0
    var explicitMax = 0
    var start: Int?
    var now = 0

    enum Answer: Equatable {
        case ttl(Int, warnings: [String])
        case failure(String)
    }

    func calculate() -> Answer {
        let second = 1_000_000_000
        let now = now / second * second
        let start = (start ?? self.now) / second * second
        let systemDefault = mountDefault != 0 ? mountDefault : serverDefault
        var maximum = mountMax != 0 ? mountMax : serverMax
        for lower in [backendMax, explicitMax] where lower > 0 && lower < maximum { maximum = lower }
        if maximum <= 0 { return .failure("max TTL must be greater than zero") }
        var warnings: [String] = []
        var ttl: Int
        var limit: Int?
        if period > 0 {
            ttl = period
            if ttl > maximum {
                ttl = maximum
                warnings.append("period \(period) over \(maximum)")
            }
            if explicitMax > 0 { limit = start + explicitMax }
        } else {
            ttl = systemDefault
            if backendTTL > 0 { ttl = backendTTL }
            if increment > 0 { ttl = increment }
            limit = start + maximum
        }
        if let limit {
            if limit <= now { return .failure("past the max TTL, cannot renew") }
            if limit - now < ttl {
                warnings.append("TTL \(ttl) over \(limit - now)")
                ttl = limit - now
            }
        }
        return .ttl(ttl, warnings: warnings)
    }
}
