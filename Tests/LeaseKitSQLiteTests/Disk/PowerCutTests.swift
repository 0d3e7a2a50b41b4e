// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

@Suite("A power cut")
struct PowerCutTests {
    /// At every single write, sync, truncation and deletion of a session: what was answered is there, and nothing is half.
    @Test("at every call to the disk", arguments: PowerCut.allCases)
    func atEveryCall(cut: PowerCut) async throws {
        let expected = try await referenceContents()
        let (changes, _, _) = try await run { _ in .done }
        #expect(changes > 150)
        var lost = 0
        // A killed process loses nothing of what it wrote, so that neighbouring calls are the same to it.
        for number in stride(from: 1, through: changes, by: cut == .leavesAll ? 7 : 1) {
            let (_, answered, contents) = try await run(seed: UInt64(number)) {
                $0.number == number ? .cut(cut) : .done
            }
            // The step in hand is done or not; the ones before it are.
            let isBefore = contents == expected[answered]
            let isAfter = answered < ScriptedSession.length && contents == expected[answered + 1]
            #expect(isBefore || isAfter, "\(cut) at call \(number), after \(answered) steps")
            if !isAfter { lost += 1 }
        }
        // Of a process that is killed the system keeps the writes, so that some steps are done that were not answered.
        #expect(lost > 0 && lost <= changes)
    }

    /// What the table says after each number of steps, to a process that comes after a crash.
    private func referenceContents() async throws -> [ScriptedSession.Contents] {
        var all: [ScriptedSession.Contents] = []
        for count in 0...ScriptedSession.length { all.append(try await run(steps: count) { _ in .done }.contents) }
        for (number, (before, after)) in zip(all, all.dropFirst()).enumerated() {
            // Upkeep, the time and the closing change nothing that can be seen; all other steps do.
            #expect((before == after) == [12, 20, 21, 23].contains(number), "step \(number)")
        }
        return all
    }

    /// Runs a session on a disk of its own until it ends or the power goes, and reads what is left.
    private func run(
        seed: UInt64 = 1,
        steps: Int = ScriptedSession.length,
        _ plan: @escaping @Sendable (DiskCall) -> DiskAnswer
    ) async throws -> (changes: Int, answered: Int, contents: ScriptedSession.Contents) {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk(seed: seed)
        disk.plan(plan)
        let session = ScriptedSession(path: directory.file(), disk)
        try? await session.run(steps)
        let changes = disk.changes
        disk.cut(.leavesAll)
        await session.store.drop()
        disk.restart()
        let contents = try await ScriptedSession.contents(directory.file(), disk)
        return (changes, session.answered, contents)
    }

    @Test("what a failed sync was about is written once more before anybody is told of it")
    func failedSync() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        try await bench.insert(1)
        disk.plan { $0.kind == .sync ? .fail(SQLITE_IOERR | (4 << 8)) : .done }
        #expect(await StoreBench.refusal { try await bench.insert(2) }?.kind == .unknown)
        // The log shows the commit, and the disk does not have it: nobody is told while that is so.
        let meanwhile = await StoreBench.refusal { _ = try await bench.store.find([bench.insertion(2).id]) }
        #expect(meanwhile?.kind == .unavailable)
        disk.plan(nil)
        let told = try await bench.store.find([bench.insertion(2).id]).value[0]
        disk.cut(.leavesNothing)
        await bench.store.drop()
        disk.restart()
        let reopened = try await StoreBench(directory.file(), hooks: disk.hooks)
        let left = try await reopened.store.find([bench.insertion(2).id]).value[0]
        #expect(told != nil)
        #expect(left != nil)
        #expect(try await reopened.store.find([bench.insertion(1).id]).value[0] != nil)
    }

    @Test("a log that cannot be written once more is left as it is, and the database too")
    func failedRewrite() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        try await bench.insert(1)
        disk.plan { $0.kind == .sync ? .fail(SQLITE_IOERR | (4 << 8)) : .done }
        #expect(await StoreBench.refusal { try await bench.insert(2) }?.kind == .unknown)
        let touched = Locked(0)
        disk.plan { call in
            if call.kind == .write && call.file == .log { return .fail(SQLITE_IOERR) }
            if call.kind.isChange && call.kind != .sync { touched.withLock { $0 += 1 } }
            return .done
        }
        for _ in 1...2 {
            let error = await StoreBench.refusal { _ = try await bench.store.find([bench.insertion(2).id]) }
            #expect(error?.kind == .unavailable)
        }
        // A log whose writes were lost would leave a database with half of them.
        #expect(touched.withLock { $0 } == 0)
        disk.plan(nil)
        #expect(try await bench.store.find([bench.insertion(2).id]).value[0] != nil)
        disk.cut(.leavesNothing)
        await bench.store.drop()
        disk.restart()
        let reopened = try await StoreBench(directory.file(), hooks: disk.hooks)
        #expect(try await reopened.store.counts(.all).value.total == 2)
        #expect(try await reopened.store.integrityCheck().isEmpty)
        await reopened.close()
    }

    @Test("with the relaxed mode: the latest are gone, the rest is sound, and an epoch file that is on the disk tells")
    func relaxed() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let options = SQLiteLeaseStore.Options(durability: .mayForgetLatestInPowerCut)
        let store = SQLiteLeaseStore(path: directory.file(), options: options, hooks: disk.hooks, isInline: true)
        let opening = try await StoreBench.open(store)
        let mount = try await store.register(path: "db", kind: "test", StoreBench.context(opening)).value.id
        func insert(_ number: UInt64) async throws {
            let insertion = StoreBench.insertion(number, of: mount)
            _ = try await store.apply([.insert(insertion)], StoreBench.context(opening, operation: number))
        }
        for number in 1...20 as ClosedRange<UInt64> { try await insert(number) }
        try await store.vacuum()
        for number in 21...40 as ClosedRange<UInt64> { try await insert(number) }
        disk.cut(.leavesNothing)
        await store.drop()
        disk.restart()
        let reopened = try await StoreBench(directory.file(), hooks: disk.hooks)
        #expect(try await reopened.store.counts(.all).value.total == 20)
        #expect(try await reopened.store.integrityCheck().isEmpty)
        #expect(reopened.opening.doubts.contains { $0.description.contains("older copy") })
    }

    @Test("after a failed sync of upkeep, nothing is promised that stands on it")
    func failedVacuum() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        for number in 1...200 as ClosedRange<UInt64> { try await bench.insert(number, "db/p\(number % 9)") }
        for number in 1...100 as ClosedRange<UInt64> {
            let removal = LeaseChange.update(bench.insertion(number).id, .remove(nil, .abandoned))
            _ = try await bench.store.apply([removal], StoreBench.context(bench.opening))
        }
        let syncs = Locked(0)
        disk.plan { call in
            guard call.kind == .sync && call.file == .log else { return .done }
            return syncs.withLock {
                $0 += 1; return $0
            } == 1 ? .fail(SQLITE_IOERR | (4 << 8)) : .done
        }
        #expect(await StoreBench.refusal { try await bench.store.vacuum() } != nil)
        disk.plan(nil)
        for number in 201...210 as ClosedRange<UInt64> { try await bench.insert(number) }
        disk.cut(.leavesNothing)
        await bench.store.drop()
        disk.restart()
        let reopened = try await StoreBench(directory.file(), hooks: disk.hooks)
        #expect(try await reopened.store.counts(.all).value.total == 110)
        #expect(try await reopened.store.integrityCheck().isEmpty)
        await reopened.close()
    }
}
