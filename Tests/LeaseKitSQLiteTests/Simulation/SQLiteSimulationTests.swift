// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

/// The simulation of the core, with its leases in SQLite on a disk that fails.
@Suite(.serialized) struct SQLiteSimulationTests {
    /// What has to have happened in a whole run of at least a hundred seeds, or the run proves little.
    static let expected = [
        "issued", "renewed", "expired", "reports.complete", "crashes", "restores", "fault.disk", "fault.power",
        "fault.reboot",
        "doubt.done", "doubt.notDone", "removed.revoked",
    ]

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    /// A tenth of the seeds that other simulations run: a table on a disk is slower than one in memory.
    private static var seeds: [UInt64] {
        if let seed = number("LEASEKIT_SIM_SEED") { return [UInt64(seed)] }
        let first = UInt64(number("LEASEKIT_SIM_FIRST") ?? 1)
        return Array(first..<first + UInt64(max(1, (number("LEASEKIT_SIM_SEEDS") ?? 100) / 10)))
    }

    private static func simulation(_ seed: UInt64, operations: Int = 200) -> Simulation {
        Simulation(
            seed: seed,
            operations: operations,
            keepsTrace: number("LEASEKIT_SIM_SEED") != nil,
            storage: SimulatedStorage { try SQLiteDisk(seed: $0) }
        )
    }

    @Test func invariantsHold() async throws {
        let begin = Date()
        let seeds = Self.seeds
        let total = Locked((counts: [String: Int](), broken: [SimulationReport]()))
        await onThreads(seeds) { seed in
            let report = Self.simulation(seed).run()
            for line in report.trace { print(line) }
            total.withLock { total in
                total.counts.merge(report.counts, uniquingKeysWith: +)
                if !report.isClean { total.broken.append(report) }
            }
        }
        let (counts, broken) = total.withLock { ($0.counts, $0.broken.sorted { $0.seed < $1.seed }) }
        for report in broken.prefix(5) {
            let replay = "LEASEKIT_SIM_SEED=\(report.seed) swift test -c release --filter SQLiteSimulationTests"
            for violation in report.violations.prefix(1) {
                Issue.record("seed \(report.seed): \(violation)\nreplay: \(replay)")
            }
        }
        #expect(broken.map(\.seed) == [])
        if seeds.count >= 100 {
            for key in Self.expected {
                #expect(counts[key, default: 0] > 0, "\(key) never happened in \(seeds.count) seeds")
            }
        }
        print(
            "simulation on SQLite: \(seeds.count) seeds, \(counts["operations", default: 0]) operations, "
                + "\(counts["crashes", default: 0]) crashes, \(counts["fault.power", default: 0]) power cuts asked for, "
                + "\(counts["doubt.done", default: 0]) changes done and not answered, "
                + "\(counts["doubt.notDone", default: 0]) failed, \(counts["restores", default: 0]) restores"
                + String(format: " in %.1f s", Date().timeIntervalSince(begin))
        )
    }

    /// A failing disk, too, does the same in each run.
    @Test func aSeedRunsAlikeAloneAndAfterOthers() async {
        await onThreads([3]) { _ in
            let seeds: [UInt64] = [1, 2]
            let first = seeds.map { Self.simulation($0, operations: 100).run().traceHash }
            let second = seeds.reversed().map { Self.simulation($0, operations: 100).run().traceHash }
            #expect(first == second.reversed())
        }
    }

    /// Runs `body` for every seed, on threads of its own, since a simulation blocks the thread that it runs on.
    private func onThreads(_ seeds: [UInt64], _ body: @escaping @Sendable (UInt64) -> Void) async {
        let left = Locked(seeds[...])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<min(seeds.count, max(1, ProcessInfo.processInfo.activeProcessorCount)) {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        let thread = Thread {
                            while let seed = left.withLock({ $0.popFirst() }) { body(seed) }
                            continuation.resume()
                        }
                        thread.stackSize = 8 << 20
                        thread.start()
                    }
                }
            }
        }
    }
}
