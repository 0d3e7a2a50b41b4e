// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitSQLite

@Suite("What removed leases leave behind")
struct LeftoversTests {
    private static func leftovers(generation: Int, path: Int = 100) -> Leftovers {
        var limits = Leftovers.Limits()
        (limits.generation, limits.path) = (generation, path)
        return Leftovers(limits)
    }

    private static func entry(_ number: Int64, _ name: UInt64, at place: Int64 = 1) -> Leftovers.Entry {
        Leftovers.Entry(name: LeaseID(high: name, low: 0), sequence: number, place: place)
    }

    @Test("it is taken out in the order of each index once enough has gathered, and then forgotten")
    func order() {
        var leftovers = Self.leftovers(generation: 4)
        for (number, name) in zip([1, 2, 3] as [Int64], [30, 10, 40] as [UInt64]) {
            leftovers.add(Self.entry(number, name, at: 3 - number), number: number)
        }
        leftovers.begin(isLast: false)
        #expect(!leftovers.isUnderWay)
        leftovers.add(Self.entry(4, 20, at: 2), number: 4)
        leftovers.begin(isLast: false)
        #expect(leftovers.isUnderWay)
        // What comes meanwhile waits for its turn.
        leftovers.add(Self.entry(5, 15), number: 5)
        #expect(leftovers.nextRows(10) == nil)
        var names: [UInt64] = []
        while let next = leftovers.nextName() { names.append(next.name.high) }
        #expect(names == [10, 20, 30, 40])
        #expect(leftovers.nextRows(10) == nil)
        var paths: [[Int64]] = []
        while let next = leftovers.nextPath() { paths.append([next.place, next.sequence]) }
        #expect(paths == [[0, 3], [1, 2], [2, 1], [2, 4]])
        #expect(leftovers.nextRows(3) == 1...3)
        #expect(leftovers.nextRows(3) == 4...4)
        #expect(leftovers.nextRows(3) == nil)
        #expect(!leftovers.isUnderWay)
        leftovers.begin(isLast: true)
        #expect(leftovers.nextName()?.sequence == 5)
    }

    @Test("at one path it does not gather for long")
    func crowd() {
        var leftovers = Self.leftovers(generation: 100, path: 3)
        for number in 1...5 as ClosedRange<Int64> {
            leftovers.add(Self.entry(number, UInt64(number), at: number == 4 ? 9 : 1), number: number)
            let crowd = leftovers.crowd(at: number == 4 ? 9 : 1)
            #expect(crowd.map(\.sequence) == (number == 3 ? [1, 2, 3] : []))
        }
    }

    /// The ids that are found, and the pages, of a table that is kept as large ones are, against a plain dictionary.
    @Test("nobody sees it, it is bounded, and it survives whatever ends a process", arguments: UInt64(1)...12)
    func table(seed: UInt64) async throws {
        let directory = try TemporaryDirectory.inMemory()
        var random = SeededGenerator(seed: seed)
        var live: [UInt64: String] = [:]
        var removed: [UInt64] = []
        var most: Int64 = 0
        var bench = try await StoreBench(directory.file(), options: StoreBench.leavingEntries)
        for round in 1...60 as ClosedRange<UInt64> {
            let count = random.index(below: 8)
            for number in 0..<UInt64(count) {
                // Some ids come again that were removed a moment ago.
                let again = random.chance(0.3) ? removed.popLast() : nil
                let name = again ?? round * 100 + number
                live[name] = "db/p\(random.index(below: 4))"
                try await bench.insert(name, live[name] ?? "")
            }
            let gone = live.keys.sorted().filter { _ in random.chance(0.4) }
            let changes = gone.map { LeaseChange.update(bench.insertion($0).id, .remove(nil, .abandoned)) }
            let context = StoreBench.context(bench.opening, operation: round)
            #expect(try await bench.store.apply(changes, context).value.allSatisfy { $0.record != nil })
            for name in gone { live[name] = nil }
            removed += gone
            if random.chance(0.1) { try await bench.store.vacuum() }
            if random.chance(0.2) {
                // The end of a process: what it had in memory is gone.
                await bench.store.drop()
                most = max(most, StoreBench.number(directory.file(), "SELECT count(*) FROM gone") ?? 0)
                bench = try await StoreBench(directory.file(), options: StoreBench.leavingEntries)
            }
            let found = try await bench.store.find(removed.map { bench.insertion($0).id }).value
            for (name, record) in zip(removed, found) { #expect(record?.path == live[name], "seed \(seed)") }
            for path in ["db/p0", "db/p1", "db/p2", "db/p3"] {
                let page = try await bench.store.page(LeaseQuery(prefix: path), after: nil, limit: 500).value
                let expected = live.filter { $0.value == path }.map { bench.insertion($0.key).id }
                #expect(Set(page.records.map(\.id)) == Set(expected), "seed \(seed), round \(round)")
            }
            #expect(try await bench.store.integrityCheck().isEmpty)
        }
        #expect(most > 0)
        #expect(most < 60)
        try await bench.store.vacuum()
        await bench.close()
        #expect(StoreBench.number(directory.file(), "SELECT count(*) FROM gone") == 0)
        for index in ["lease_name", "placed"] {
            #expect(StoreBench.number(directory.file(), "SELECT count(*) FROM \(index)") == Int64(live.count))
        }
    }

    @Test("a small table leaves nothing behind")
    func small() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let bench = try await StoreBench(directory.file())
        for number in 1...50 as ClosedRange<UInt64> { try await bench.insert(number) }
        let changes = (1...49).map { LeaseChange.update(bench.insertion($0).id, .remove(nil, .abandoned)) }
        _ = try await bench.store.apply(changes, StoreBench.context(bench.opening))
        await bench.close()
        for (table, count) in ["gone": 0, "lease_name": 1, "placed": 1] as [String: Int64] {
            #expect(StoreBench.number(directory.file(), "SELECT count(*) FROM \(table)") == count)
        }
    }

    @Test("a count that is wrong is found out", arguments: ["mount", "place", "owner"])
    func miscounted(table: String) async throws {
        let directory = try TemporaryDirectory()
        var bench = try await StoreBench(directory.file())
        for number in 1...3 as ClosedRange<UInt64> {
            var insertion = bench.insertion(number)
            insertion.fields.owner = "ann"
            _ = try await bench.store.apply([.insert(insertion)], StoreBench.context(bench.opening))
        }
        #expect(try await bench.store.integrityCheck().isEmpty)
        await bench.close()
        StoreBench.tamper(directory.file(), "UPDATE \(table) SET n3 = n3 + 1")
        bench = try await StoreBench(directory.file())
        let what = ["mount": "mounts", "place": "paths", "owner": "owners"][table] ?? ""
        #expect(try await bench.store.integrityCheck() == ["the leases of 1 \(what) are counted wrongly"])
        await bench.close()
    }

    @Test("an index that has lost a lease is found out")
    func damaged() async throws {
        let directory = try TemporaryDirectory.inMemory()
        var bench = try await StoreBench(directory.file())
        for number in 1...5 as ClosedRange<UInt64> { try await bench.insert(number) }
        await bench.close()
        StoreBench.tamper(
            directory.file(),
            "DELETE FROM lease_name WHERE lease < 3; DELETE FROM placed WHERE lease = 4"
        )
        bench = try await StoreBench(directory.file())
        #expect(
            try await bench.store.integrityCheck() == [
                "2 leases cannot be found by their id", "1 leases cannot be found by their path",
            ]
        )
        await bench.close()
    }
}
