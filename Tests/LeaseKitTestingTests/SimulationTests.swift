// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

@Suite(.serialized) struct SimulationTests {
    /// What has to have happened in a whole run of at least a hundred seeds, or the run proves little.
    static let expected = [
        "issued", "renewed", "expired", "revocations", "reports.complete", "crashes", "starts", "stops", "restores",
        "epochs",
        "sweeps", "fault.mix", "fault.script", "fault.partition", "fault.login", "fault.replaced", "fault.stranger",
        "fault.dropped", "fault.store", "fault.pause", "fault.wallJump", "fault.suspend", "fault.reboot", "target.late",
        "store unavailable", "store unknown", "target.issue.made", "target.revoke.ended", "target.revoke.nothingThere",
        "removed.revoked", "removed.alreadyGone", "removed.notOurs", "removed.ended", "removed.abandoned",
        "limits.lowered", "volatile.stopped",
    ]
    /// Where processes have to have died.
    static let crashes = [
        "issue", "renew", "revoke", "store.insert", "store.activate", "store.extend", "store.remove", "store.place",
        "store.expand", "store.claimDue",
    ]

    @Test func invariantsHold() async throws {
        if let seed = SimulationSettings.seed { return replay(seed) }
        let begin = Date()
        let first = SimulationSettings.first
        let seeds = Array(first..<first + UInt64(max(1, SimulationSettings.seeds)))
        let total = Totals()
        let operations = SimulationSettings.operations
        await SimulationSettings.onThreads(seeds) { seed in
            total.add(Simulation(seed: seed, operations: operations).run())
        }
        for report in total.broken.prefix(5) {
            for violation in report.violations.prefix(1) {
                Issue.record("seed \(report.seed): \(violation)\nreplay: \(SimulationSettings.replay(report.seed))")
            }
        }
        #expect(total.broken.isEmpty, "seeds \(total.broken.map(\.seed).sorted().prefix(20))")
        let counts = total.counts
        if seeds.count >= 100 && operations >= 300 {
            for key in Self.expected {
                #expect(counts[key, default: 0] > 0, "\(key) never happened in \(seeds.count) seeds")
            }
            for step in Self.crashes {
                let deaths = counts.filter { $0.key.hasPrefix("crash.\(step).") }.values.reduce(0, +)
                #expect(deaths > 0, "nobody died at \(step) in \(seeds.count) seeds")
            }
        }
        let faults = counts.filter { $0.key.hasPrefix("fault.") }.sorted { $0.key < $1.key }
        print(
            "simulation: \(seeds.count) seeds, \(counts["operations", default: 0]) operations, "
                + "\(counts["target.issue.made", default: 0]) credentials made, \(counts["crashes", default: 0]) crashes, "
                + "\(counts["restores", default: 0]) restores, \(counts["expired", default: 0]) expiries, "
                + "\(counts["revocations", default: 0]) revocations, \(counts["removed.revoked", default: 0]) ended, faults: "
                + faults.map { "\($0.key.dropFirst(6)) \($0.value)" }.joined(separator: ", ")
                + String(format: " in %.1f s", Date().timeIntervalSince(begin))
        )
    }

    private func replay(_ seed: UInt64) {
        let report = Simulation(seed: seed, operations: SimulationSettings.operations, keepsTrace: true).run()
        for line in report.trace { print(line) }
        for violation in report.violations { print(violation) }
        print("trace hash \(report.traceHash)")
        #expect(report.isClean)
    }
}

/// Reports from several threads, added up.
final class Totals: @unchecked Sendable {
    private let lock = NSLock()
    private var sum: [String: Int] = [:]
    private var failures: [SimulationReport] = []

    func add(_ report: SimulationReport) {
        lock.withLock {
            sum.merge(report.counts, uniquingKeysWith: +)
            if !report.isClean { failures.append(report) }
        }
    }

    var counts: [String: Int] { lock.withLock { sum } }
    var broken: [SimulationReport] { lock.withLock { failures }.sorted { $0.seed < $1.seed } }
}
