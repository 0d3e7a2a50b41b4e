// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKitTesting
import Testing

/// The invariants of the holder's side, over random operations and faults.
///
/// `LEASEKIT_SIM_SEEDS` says how many seeds are run, `LEASEKIT_SIM_SEED` which one is replayed.
@Suite struct HolderSimulationTests {
    private static let environment = ProcessInfo.processInfo.environment

    private static var seeds: [UInt64] {
        if let one = environment["LEASEKIT_SIM_SEED"].flatMap({ UInt64($0) }) { return [one] }
        let count = environment["LEASEKIT_SIM_SEEDS"].flatMap { UInt64($0) } ?? 20
        return Array(1...max(1, min(count / 4, 60)))
    }

    @Test func everySeedKeepsTheInvariants() {
        var counts: [String: Int] = [:]
        for seed in Self.seeds {
            let report = HolderSimulation(seed: seed, operations: 150).run()
            for violation in report.violations { Issue.record("\(violation) [LEASEKIT_SIM_SEED=\(seed)]") }
            counts.merge(report.counts, uniquingKeysWith: +)
            if !report.violations.isEmpty { break }
        }
        // What the runs are about has happened in them.
        for what in ["used", "update", "partition", "scope ended", "rejected", "revoked by others"] {
            #expect(counts[what, default: 0] > 0 || Self.seeds.count == 1, "\(what): \(counts)")
        }
    }

    @Test func oneSeedGivesOneRun() {
        let runs = [3, 3, 4].map { HolderSimulation(seed: $0, operations: 60).run() }
        #expect(runs[0].traceHash == runs[1].traceHash && runs[0].counts == runs[1].counts)
        #expect(runs[0].traceHash != runs[2].traceHash)
    }
}
