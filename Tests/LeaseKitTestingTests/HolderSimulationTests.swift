// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKitTesting
import Testing

/// The invariants of the holder's side, over random operations and faults.
///
/// A quarter of `LEASEKIT_SIM_SEEDS` is run; `LEASEKIT_SIM_SEED` says which one is replayed.
@Suite(.serialized) struct HolderSimulationTests {
    private static let operations = 150

    /// What has to have happened in a whole run, or it proves little.
    private static let expected = [
        "used", "update", "scope ended", "scope lost", "tree ended", "rejected", "revoked by others",
        "shortened by others",
        "dropped", "link cut", "every link cut", "link faults", "target cut off", "target faults", "suspend", "starved",
        "wall jump", "left to its end", "orders looked at",
    ]

    @Test func invariantsHold() async {
        let first = SimulationSettings.first
        let count = max(1, SimulationSettings.seeds / 4)
        let seeds = SimulationSettings.seed.map { [$0] } ?? Array(first..<first + UInt64(count))
        let begin = Date()
        let totals = HolderTotals()
        await SimulationSettings.onThreads(seeds) { seed in
            totals.add(seed, HolderSimulation(seed: seed, operations: Self.operations).run())
        }
        for (seed, report) in totals.broken.prefix(5) {
            for violation in report.violations.prefix(1) { Issue.record("\(violation) [LEASEKIT_SIM_SEED=\(seed)]") }
        }
        #expect(totals.broken.isEmpty, "seeds \(totals.broken.map(\.seed))")
        if seeds.count >= 10 {
            for what in Self.expected {
                #expect(totals.counts[what, default: 0] > 0, "\(what) never happened in \(seeds.count) seeds")
            }
        }
        let counts = totals.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let seconds = String(format: "%.1f s", Date().timeIntervalSince(begin))
        print("holder simulation: \(seeds.count) seeds in \(seconds): \(counts.joined(separator: ", "))")
    }

    @Test func oneSeedGivesOneRun() async {
        let totals = HolderTotals()
        await SimulationSettings.onThreads([0]) { _ in
            for seed: UInt64 in [3, 3, 4] { totals.add(seed, HolderSimulation(seed: seed, operations: 60).run()) }
        }
        let runs = totals.reports
        #expect(runs[0].traceHash == runs[1].traceHash && runs[0].counts == runs[1].counts)
        #expect(runs[0].traceHash != runs[2].traceHash)
    }
}

/// Every defect is noticed by the invariant that it breaks, on a seed that is clean without it.
///
/// Some break another one, too, and on some seeds that is noticed first: then it is looked for further.
@Suite(.serialized) struct HolderMutationTests {
    private static let seeds: ClosedRange<UInt64> = 1...40

    @Test(arguments: HolderMutation.allCases)
    func isCaught(_ mutation: HolderMutation) async throws {
        let totals = HolderTotals()
        // One thread, in order of seeds, so that it is always the same seed.
        await SimulationSettings.onThreads([0]) { _ in
            for seed in Self.seeds {
                let report = HolderSimulation(seed: seed, mutation: mutation).run()
                guard let first = report.violations.first, mutation.invariants.contains(first.invariant) else {
                    continue
                }
                totals.add(seed, report)
                totals.add(seed, HolderSimulation(seed: seed).run())
                return
            }
        }
        let reports = totals.reports
        let caught = try #require(
            reports.first?.violations.first,
            "\(mutation) is not noticed by what it breaks in \(Self.seeds)"
        )
        print("holder mutation \(mutation.rawValue): \(caught)")
        #expect(reports[1].violations.isEmpty, "the seed is not clean without it: \(reports[1].violations)")
    }

    /// Each invariant has a defect that breaks it.
    @Test func everyInvariantHasADefect() {
        #expect(HolderMutation.allCases.reduce(into: Set()) { $0.formUnion($1.invariants) } == Set(1...8))
    }
}

/// Reports from several threads, added up.
private final class HolderTotals: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [(seed: UInt64, report: HolderSimulation.Report)] = []

    func add(_ seed: UInt64, _ report: HolderSimulation.Report) { lock.withLock { all.append((seed, report)) } }

    var reports: [HolderSimulation.Report] { lock.withLock { all.map(\.report) } }
    var counts: [String: Int] {
        lock.withLock { all.reduce(into: [:]) { $0.merge($1.report.counts, uniquingKeysWith: +) } }
    }
    var broken: [(seed: UInt64, report: HolderSimulation.Report)] {
        lock.withLock { all.filter { !$0.report.violations.isEmpty } }.sorted { $0.seed < $1.seed }
    }
}
