// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

/// The durable store, against SQLite's C API on the same file system in the same run.
func measureSQLite(_ scale: Scale) async throws -> [Measurement] {
    SlowSync.install()
    var measurements = try await measureCommits()
    var tables: [TableCosts] = []
    for size in scale.sizes where size <= scale.largest {
        let costs = try await measureTable(size)
        tables.append(costs)
        measurements += costs.measurements(isLargest: size == scale.largest)
    }
    if let small = tables.first, let large = tables.last, large.size > small.size {
        measurements += large.growth(since: small)
    }
    return measurements
}

func commitWorld(_ path: String, time: any LeaseTime = SystemTime()) async throws -> (
    manager: LeaseManager, mount: Mount<Int, Void>, store: SQLiteLeaseStore
) {
    let store = SQLiteLeaseStore(path: path)
    let manager = LeaseManager(store: store, configuration: .init(shutdownBudget: .seconds(5)), time: time)
    let settings = MountSettings(concurrency: 64, revocationConcurrency: 256)
    return (manager, try await manager.mount(NoOpBackend(), at: "bench", settings), store)
}

/// A call that reads what is in memory, by one caller: through the store's thread, and in place; microseconds.
///
/// The difference is what it takes to hand a call to another thread and its answer back.
private func readingCalls(_ directory: String) async throws -> (threaded: Double, inPlace: Double) {
    var medians: [Double] = []
    for runsInPlace in [false, true] {
        let store = SQLiteLeaseStore(path: "\(directory)/raw-\(runsInPlace)", options: .init(runsInPlace: runsInPlace))
        let opening = try await store.open(at: SystemTime().read())
        var rounds: [Double] = []
        for _ in 0..<9 {
            rounds.append(
                try await nanoseconds { for _ in 0..<500 { _ = try await store.counts(.all) } } / 500_000
            )
        }
        medians.append(median(rounds))
        await store.close(opening.incarnation)
    }
    return (medians[0], medians[1])
}

/// Issue and renew by one caller, and issue by many where a sync costs 2 ms.
private func measureCommits() async throws -> [Measurement] {
    let directory = ScratchDirectory()
    let raw = RawDatabase(path: directory.path + "/raw")
    let world = try await commitWorld(directory.path + "/leases")
    _ = raw.commit(200)
    var (commits, issues, renewals): ([Double], [Double], [Double]) = ([], [], [])
    for round in 0..<7 {
        commits.append(raw.commit(400))
        var ids: [LeaseID] = []
        let issue = try await nanoseconds {
            for number in 0..<300 { ids.append(try await world.mount.issue(round * 300 + number).id) }
        }
        issues.append(issue / 300)
        renewals.append(try await nanoseconds { for id in ids { _ = try await world.mount.renew(id) } } / 300)
    }
    let commit = median(commits) / 1_000
    let (threaded, inPlace) = try await readingCalls(directory.path)
    SlowSync.add(.milliseconds(2))
    let slowCommit = raw.commit(100) / 1_000
    let mount = world.mount
    let many =
        try await nanoseconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<64 {
                    group.addTask { for round in 0..<40 { _ = try await mount.issue(caller * 40 + round) } }
                }
                try await group.waitForAll()
            }
        } / (64 * 40)
    SlowSync.add(.zero)
    world.manager.beginShutdown()
    return [
        Measurement(
            "SQLite: issue, 1 caller",
            median(issues) / 1_000,
            "µs",
            baseline: 2 * commit,
            target: 2 * commit / 0.4
        ),
        Measurement("SQLite: renew, 1 caller", median(renewals) / 1_000, "µs", baseline: commit, target: commit / 0.4),
        Measurement("SQLite: a call that only reads, 1 caller", threaded, "µs", baseline: inPlace),
        Measurement(
            "SQLite: issue, 64 callers, syncs of 2 ms",
            many / 1_000,
            "µs",
            baseline: slowCommit,
            target: slowCommit / 8
        ),
    ]
}
