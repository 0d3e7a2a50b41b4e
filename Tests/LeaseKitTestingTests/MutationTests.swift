// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

/// Every defect is noticed within the seeds of an ordinary run, which are clean without it.
@Suite(.serialized) struct MutationTests {
    @Test(arguments: Mutation.allCases)
    func isCaught(_ mutation: Mutation) async throws {
        let seeds = (1...UInt64(max(100, min(SimulationSettings.seeds, 2_000)))).map { $0 }
        let found = Found()
        await SimulationSettings.onThreads(seeds) { seed in
            if found.report != nil { return }
            let report = Simulation(seed: seed, operations: 500, mutation: mutation).run()
            // Noticed only if the same seed is clean without the defect.
            if !report.isClean, Simulation(seed: seed, operations: 500).run().isClean { found.note(report) }
        }
        let report = try #require(found.report, "\(mutation) was not caught in \(seeds.count) seeds")
        let violation = try #require(report.violations.first)
        print(
            "mutation \(mutation.rawValue): caught at seed \(report.seed) by invariant \(violation.invariant): \(violation.message)"
        )
        #expect(violation.invariant > 0, "it was noticed as \(violation.message), which is no invariant")
    }
}

final class Found: @unchecked Sendable {
    private let lock = NSLock()
    private var first: SimulationReport?

    func note(_ report: SimulationReport) { lock.withLock { if first == nil { first = report } } }
    var report: SimulationReport? { lock.withLock { first } }
}
