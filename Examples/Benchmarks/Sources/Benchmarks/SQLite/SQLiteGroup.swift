// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

/// The durable store, against SQLite's C API on the same file system in the same run.
func measureSQLite(_ scale: Scale) async throws -> [Measurement] {
    SlowSync.install()
    var measurements = try await measureCommits()
    for size in scale.sizes where size <= scale.largest {
        measurements += try await measureTable(size, isLargest: size == scale.largest)
    }
    return measurements
}

private func commitWorld(_ path: String, time: any LeaseTime = SystemTime()) async throws -> (
    manager: LeaseManager, mount: Mount<Int, Void>, store: SQLiteLeaseStore
) {
    let store = SQLiteLeaseStore(path: path)
    let manager = LeaseManager(store: store, configuration: .init(shutdownBudget: .seconds(5)), time: time)
    let settings = MountSettings(concurrency: 64, revocationConcurrency: 256)
    return (manager, try await manager.mount(NoOpBackend(), at: "bench", settings), store)
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
        Measurement(
            "SQLite: issue, 64 callers, syncs of 2 ms",
            many / 1_000,
            "µs",
            baseline: slowCommit,
            target: slowCommit / 8
        ),
    ]
}

/// What depends on how many leases there are.
private func measureTable(_ size: Int, isLargest: Bool) async throws -> [Measurement] {
    let directory = ScratchDirectory()
    let path = directory.path + "/leases"
    let time = MovableTime()
    let backend = NoOpBackend()
    do {
        let store = SQLiteLeaseStore(path: path, options: .init(durability: .mayForgetLatestInPowerCut))
        let opening = try await store.open(at: time.read())
        let context = StoreContext(
            now: time.read().wall,
            operation: 1,
            incarnation: opening.incarnation,
            cause: LeaseCause(.requested)
        )
        let mount = try await store.register(path: "bench", kind: backend.kind, context).value.id
        for start in stride(from: 0, to: size, by: 5_000) {
            let changes = try (start..<min(size, start + 5_000)).map { number in
                var insertion = LeaseInsertion(
                    id: .random(),
                    mount: mount,
                    path: "bench/\(try backend.path(for: number))",
                    handle: Array(repeating: 0x78, count: 60),
                    issuedAt: context.now,
                    // A tenth of a million is due in an hour, the rest later.
                    expiresAt: context.now + .seconds(number % 10 == 0 || size <= 100_000 ? 3_600 : 1_000_000),
                    deadline: context.now + .seconds(30)
                )
                insertion.kind = .session
                return LeaseChange.insert(insertion)
            }
            _ = try await store.apply(changes, context)
        }
        await store.close(opening.incarnation)
    }
    let name = text(of: size)
    let bytes = Double(directory.size("leases")) / Double(size)

    // What the loading left to be written would slow every sync down that follows.
    writeEverything()
    let before = residentBytes()
    let start = ContinuousClock.now
    let world = try await commitWorld(path, time: time)
    _ = try await world.mount.issue(0)
    let opened = (ContinuousClock.now - start).nanoseconds / 1_000_000
    let resident = Double(residentBytes() - before) / 1_048_576

    var pages: [Double] = []
    var cursor: LeaseCursor?
    for _ in 0..<50 {
        let query = LeaseQuery(prefix: "bench/group-3")
        pages.append(
            try await nanoseconds {
                cursor = try await world.store.page(query, after: cursor, limit: 100).value.next
            } / 1_000_000
        )
    }
    var issues: [Double] = []
    for round in 0..<5 {
        issues.append(
            try await nanoseconds { for number in 0..<100 { _ = try await world.mount.issue(round * 100 + number) } }
                / 100_000
        )
    }
    time.advance(by: .seconds(7_200))
    let due = size <= 100_000 ? size : size / 10
    let began = ContinuousClock.now
    let manager = world.manager
    let store = world.store
    let drained = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await manager.run() }
        while try await store.counts(.all).value.total > size + 501 - due {
            try await Task.sleep(for: .milliseconds(5))
        }
        let drained = (ContinuousClock.now - began).nanoseconds / 1_000 / Double(due)
        manager.beginShutdown()
        return drained
    }
    return [
        Measurement("SQLite at \(name): open and first issue", opened, "ms", target: isLargest ? 200 : nil),
        Measurement("SQLite at \(name): memory for it", resident, "MiB", target: isLargest ? 64 : nil),
        Measurement("SQLite at \(name): page of 100 by prefix", median(pages), "ms", target: isLargest ? 2 : nil),
        Measurement("SQLite at \(name): issue", median(issues), "µs"),
        Measurement("SQLite at \(name): claim and remove what is due", drained, "µs a lease", target: 20),
        Measurement("SQLite at \(name): on the disk", bytes, "bytes a lease"),
    ]
}
