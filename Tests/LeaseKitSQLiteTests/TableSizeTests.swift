// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import Testing

/// What a table costs does not depend on how much is in it.
@Suite("The size of a table")
struct TableSizeTests {
    /// Counted and not timed, so that the machine has no say in it: how often SQLite reads from the disk.
    @Test("opening it, issuing and claiming read as much of a large table as of a small one")
    func reads() async throws {
        let small = try await reads(of: 2_000)
        let large = try await reads(of: 40_000)
        for (few, many) in zip(small, large) {
            // The trees of a table that is twenty times larger are one level higher.
            #expect(many.reads <= few.reads + 16, "\(many.what): \(few.reads) at 2,000, \(many.reads) at 40,000")
        }
    }

    private func reads(of size: Int) async throws -> [(what: String, reads: Int)] {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        try await fill(SQLiteLeaseStore(path: directory.file(), hooks: disk.hooks, isInline: true), size)
        let count = Locked(0)
        disk.plan { call in
            if call.kind == .read { count.withLock { $0 += 1 } }
            return .done
        }
        var costs: [(String, Int)] = []
        func note(_ what: String) {
            costs.append(
                (
                    what,
                    count.withLock { count in
                        defer { count = 0 }; return count
                    }
                )
            )
        }
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        note("open")
        try await bench.insert(UInt64.max)
        note("insert")
        let later = StoreBench.now + .seconds(1_000_000)
        let context = StoreContext(
            now: later,
            operation: 1,
            incarnation: bench.opening.incarnation,
            cause: LeaseCause(.expired)
        )
        let request = ClaimRequest(mount: bench.mount, room: 100, lapsesAt: later + .seconds(60))
        #expect(try await bench.store.claimDue(request, context).value.count == 100)
        note("claim 100 of those that are due")
        #expect(try await bench.store.nextDue([bench.mount], .everything).value[0] != nil)
        note("next due")
        return costs
    }

    /// Fills a table fast, and closes it.
    private func fill(_ store: SQLiteLeaseStore, _ size: Int) async throws {
        let opening = try await StoreBench.open(store)
        let context = StoreBench.context(opening)
        let mount = try await store.register(path: "db", kind: "test", context).value.id
        for start in stride(from: 1, through: size, by: 5_000) {
            let changes = (start..<min(size + 1, start + 5_000)).map { number in
                var insertion = StoreBench.insertion(UInt64(number), of: mount, "db/p\(number % 100)")
                insertion.kind = .session
                insertion.expiresAt = StoreBench.now + .milliseconds(Int64(number))
                return LeaseChange.insert(insertion)
            }
            _ = try await store.apply(changes, context)
        }
        await store.close(opening.incarnation)
    }

    #if DEBUG
        private static let large = 100_000
    #else
        private static let large = 1_000_000
    #endif

    /// In a process of its own, so that nothing else is measured; the best of three, because others may be at work.
    @Test("a large table is open and has issued within 200 ms and 64 MiB, and needs no more of either than a small one")
    func opening() async throws {
        let small = try await cost(of: 1_000)
        let large = try await cost(of: Self.large)
        print("open and first issue: \(small) at 1,000 leases, \(large) at \(Self.large)")
        #expect(large.milliseconds < 200)
        #expect(large.mebibytes < 64)
        #expect(large.milliseconds < 2 * small.milliseconds + 50)
        #expect(large.mebibytes < small.mebibytes + 4)
    }

    private func cost(of size: Int) async throws -> (milliseconds: Double, mebibytes: Double) {
        let directory = try TemporaryDirectory()
        let options = SQLiteLeaseStore.Options(durability: .mayForgetLatestInPowerCut)
        try await fill(SQLiteLeaseStore(path: directory.file(), options: options, isInline: false), size)
        let runs = try (1...3).map { _ in
            let child = try ChildProcess("KillSubject", ["measure", directory.file()])
            let line = try #require(child.line())
            // The next one is let in when this one is gone.
            _ = child.waitForEnd()
            return line.split(separator: " ").compactMap { Double($0) }
        }
        #expect(runs.allSatisfy { $0.count == 2 })
        let took = runs.compactMap(\.first).min() ?? .infinity
        let grown = runs.compactMap(\.last).min() ?? .infinity
        return (took / 1_000, grown / 1_024)
    }
}
