// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What is mounted where in a simulated deployment.
struct MountPlan: Sendable {
    var path: String
    var abilities: BackendAbilities
    var slack: Duration
    var provesGone: Bool
    var pageSize: Int
    var settings: MountSettings
    var role: TTLLimits
    var longestLife: Duration?

    var isSession: Bool { abilities.leaseKind != .credential }

    static func session(_ random: inout SeededGenerator) -> MountPlan {
        MountPlan(
            path: "session",
            abilities: SessionBackend().abilities,
            slack: .zero,
            provesGone: false,
            pageSize: 1,
            settings: MountSettings(limits: TTLLimits(ttl: .seconds(900), maximum: .seconds(7_200))),
            role: TTLLimits()
        )
    }

    static func credentials(_ path: String, settleTime: Duration, _ random: inout SeededGenerator) -> MountPlan {
        var abilities = BackendAbilities()
        abilities.settleTime = settleTime
        abilities.callStyle = random.chance(0.4) ? .immediate : .suspending
        abilities.isRenewable = random.chance(0.8)
        abilities.endsByItself = random.chance(0.6)
        abilities.needsParent = random.chance(0.25)
        if random.chance(0.15) {
            abilities.isRevocable = false
            abilities.endsByItself = true
            abilities.isRenewable = false
        }
        var settings = MountSettings(limits: limits(&random))
        settings.issueTimeout = .seconds(random.chance(0.5) ? 30 : 3)
        settings.renewTimeout = .seconds(random.chance(0.5) ? 10 : 2)
        settings.revokeTimeout = .seconds(random.chance(0.5) ? 30 : 5)
        settings.concurrency = random.chance(0.3) ? 2 : 16
        settings.revocationConcurrency = random.chance(0.3) ? 1 : 8
        settings.waitingLimit = random.chance(0.2) ? 2 : 100
        settings.rate = random.chance(0.15) ? RateLimit(callsPerSecond: 20, burst: 5) : nil
        settings.retry.cap = .seconds(120)
        if random.chance(0.2) { settings.quotas.perMount = 30 }
        return MountPlan(
            path: path,
            abilities: abilities,
            slack: abilities.isRevocable ? .seconds(30) : .zero,
            provesGone: random.chance(0.3),
            pageSize: random.chance(0.5) ? 3 : 100,
            settings: settings,
            role: random.chance(0.5) ? TTLLimits() : limits(&random),
            longestLife: abilities.endsByItself && random.chance(0.2) ? .seconds(400) : nil
        )
    }

    /// Limits that make leases of minutes.
    static func limits(_ random: inout SeededGenerator) -> TTLLimits {
        let ttl = Duration.seconds(30 + random.index(below: 600))
        let limits = TTLLimits(ttl: ttl, maximum: ttl * (1 + random.index(below: 4)))
        return limits
    }
}
