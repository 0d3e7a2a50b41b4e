// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

/// What depends on how many leases there are.
func measureTable(_ size: Int) async throws -> TableCosts {
    let directory = ScratchDirectory()
    let path = directory.path + "/leases"
    let time = MovableTime()
    try await fill(path, size, time)
    try directory.copy("leases", to: "raw")
    var costs = TableCosts(size: size)
    costs.bytes = Double(directory.size("leases")) / Double(size)

    // What the loading left to be written would slow every sync down that follows.
    writeEverything()
    let before = residentBytes()
    let start = ContinuousClock.now
    let world = try await commitWorld(path, time: time)
    _ = try await world.mount.issue(0)
    costs.opened = (ContinuousClock.now - start).nanoseconds / 1_000_000
    costs.resident = Double(residentBytes() - before) / 1_048_576

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
    costs.page.own = median(pages)
    var issues: [Double] = []
    for round in 0..<5 {
        issues.append(
            try await nanoseconds { for number in 0..<100 { _ = try await world.mount.issue(round * 100 + number) } }
                / 100_000
        )
    }
    costs.issue = median(issues)

    let (first, all) = (
        DueLeases.count(in: size, after: DueLeases.first), DueLeases.count(in: size, after: DueLeases.second)
    )
    time.advance(by: DueLeases.first)
    let live = size + 501
    costs.together.own = try await drain(world, downTo: live - first) / Double(first)
    if all > first {
        // Time that is moved wakes nobody: the next manager finds what is due at its start.
        time.advance(by: DueLeases.second - DueLeases.first)
        let next = try await commitWorld(path, time: time)
        costs.apart = TableCosts.Cost(own: try await drain(next, downTo: live - all) / Double(all - first))
    }

    writeEverything()
    let raw = RawLeases(path: directory.path + "/raw")
    costs.page.raw = median(raw.pages(50, below: "bench/group-3")) / 1_000_000
    costs.together.raw = raw.removeDue(first) / 1_000 / Double(first)
    if all > first { costs.apart?.raw = raw.removeDue(all - first) / 1_000 / Double(all - first) }
    return costs
}

/// Runs a manager until so many leases are left, and ends it; microseconds.
private func drain(
    _ world: (manager: LeaseManager, mount: Mount<Int, Void>, store: SQLiteLeaseStore),
    downTo left: Int
) async throws -> Double {
    let began = ContinuousClock.now
    let (manager, store) = (world.manager, world.store)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await manager.run() }
        while try await store.counts(.all).value.total > left { try await Task.sleep(for: .milliseconds(5)) }
        let took = (ContinuousClock.now - began).nanoseconds / 1_000
        manager.beginShutdown()
        try await group.waitForAll()
        return took
    }
}

/// Fills a table fast, and closes it.
private func fill(_ path: String, _ size: Int, _ time: MovableTime) async throws {
    let backend = NoOpBackend()
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
                expiresAt: context.now + DueLeases.time(of: number),
                deadline: context.now + .seconds(30)
            )
            insertion.kind = .session
            return LeaseChange.insert(insertion)
        }
        _ = try await store.apply(changes, context)
    }
    await store.close(opening.incarnation)
}
