// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// What outages of a broker cost: LeaseKit's own scheduler in virtual time, and models of the rules of others beside it.
func measureOutages(_ scale: Scale) async throws -> [Measurement] {
    let trials = scale.largest >= 100_000 ? 20_000 : 1_000
    // What may be lost at most, in per cent.
    let limits: [(minutes: Int, lost: Double?)] = [(1, 0), (5, 0), (10, 0), (15, 0), (20, 3), (30, 26)]
    var measurements = [Measurement("trials in each line", Double(trials), "")]
    for (minutes, limit) in limits {
        let result = try OutageStudy(outage: .seconds(60 * minutes), trials: trials).run()
        measurements += [
            Measurement("LeaseKit, \(minutes) min: lost", result.lost * 100, "%", target: limit),
            Measurement("LeaseKit, \(minutes) min: attempts", result.meanAttempts, "a lease", target: 16),
            Measurement("LeaseKit, \(minutes) min: most attempts", Double(result.mostAttempts), "", target: 50),
        ]
        var random = SeededGenerator(seed: 1)
        for rule in RenewalRule.all {
            let outcomes = (0..<trials).map { _ in rule.trial(outage: Double(60 * minutes), &random) }
            let lost = Double(outcomes.count { $0.isLost }) / Double(trials)
            let attempts = Double(outcomes.reduce(0) { $0 + $1.failures }) / Double(trials)
            measurements += [
                Measurement("\(rule.name), \(minutes) min: lost", lost * 100, "%"),
                Measurement("\(rule.name), \(minutes) min: attempts", attempts, "a lease"),
            ]
        }
    }
    return measurements
}
