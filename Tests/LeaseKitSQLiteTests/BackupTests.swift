// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Backups at the wrong moment and to the wrong place.
@Suite("Backups")
struct BackupTests {
    let directory: TemporaryDirectory
    let path: String
    let copy: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file()
        copy = directory.file("copy")
    }

    /// A table whose copy takes many turns.
    private func largeBench() async throws -> StoreBench {
        let bench = try await StoreBench(path, isInline: false)
        try await fill(bench)
        return bench
    }

    private func fill(_ bench: StoreBench) async throws {
        for batch in 0..<8 as Range<UInt64> {
            let changes = (1...500 as ClosedRange<UInt64>).map { number -> LeaseChange in
                var insertion = bench.insertion(batch * 500 + number)
                insertion.handle = [UInt8](repeating: 0x78, count: 2_000)
                return .insert(insertion)
            }
            _ = try await bench.store.apply(changes, StoreBench.context(bench.opening))
        }
    }

    /// What a copy says to whoever reads it past the store.
    private func counted(_ path: String) -> Int64? { StoreBench.number(path, "SELECT count(*) FROM lease") }

    @Test("two to the same place at once: one is refused, and the other one is whole when it is answered")
    func twice() async throws {
        let bench = try await largeBench()
        let (store, copy) = (bench.store, copy)
        @Sendable func backUp() async -> (StoreError?, Int64?) {
            let error = await StoreBench.refusal { try await store.backup(to: copy) }
            return (error, error == nil ? StoreBench.number(copy, "SELECT count(*) FROM lease") : nil)
        }
        async let first = backUp()
        async let second = backUp()
        let outcomes = await [first, second]
        #expect(outcomes.compactMap(\.0).map(\.kind) == [.refused])
        #expect(outcomes.compactMap(\.1) == [4_000])
        #expect(directory.names.filter { $0.hasPrefix("copy") } == ["copy"])
        await bench.close()
    }

    @Test("one that the end of its store interrupts comes to nothing, and keeps nobody out")
    func closedMeanwhile() async throws {
        for _ in 1...3 {
            let bench = try await (directory.names.isEmpty ? largeBench() : StoreBench(path, isInline: false))
            let (store, copy) = (bench.store, copy)
            async let backup = StoreBench.refusal { try await store.backup(to: copy) }
            _ = try await store.counts(.all)
            await bench.close()
            let next = try await StoreBench(path)
            #expect(try await next.store.counts(.all).value.total == 4_000)
            let error = await backup
            #expect(error == nil || error?.kind == .unavailable, "\(error?.message ?? "")")
            #expect(directory.names.filter { $0.hasPrefix("copy") } == (error == nil ? ["copy"] : []))
            #expect(error != nil || counted(copy) == 4_000)
            unlink(copy)
            await next.close()
        }
    }

    @Test("it goes on while the table is rewritten")
    func vacuumMeanwhile() async throws {
        let bench = try await largeBench()
        let (store, copy) = (bench.store, copy)
        async let backup: Void = store.backup(to: copy)
        try await store.vacuum()
        try await bench.insert(9_000)
        try await store.vacuum()
        try await backup
        #expect([4_000, 4_001].contains(counted(copy)))
        await bench.close()
        let restored = try await StoreBench(copy)
        #expect(try await restored.store.integrityCheck().isEmpty)
        await restored.close()
    }

    @Test("it goes on when the disk of the table had trouble meanwhile, and so does the table")
    func troubleMeanwhile() async throws {
        let isFailing = Locked(false)
        let hooks = CommitHooks(before: { isFailing.withLock { $0 ? SQLITE_IOERR : nil } })
        let bench = try await StoreBench(path, hooks: hooks, isInline: false)
        try await fill(bench)
        let (store, copy) = (bench.store, copy)
        async let backup = StoreBench.refusal { try await store.backup(to: copy) }
        _ = try await store.counts(.all)
        isFailing.withLock { $0 = true }
        _ = await StoreBench.refusal { try await bench.insert(9_000) }
        isFailing.withLock { $0 = false }
        try await bench.insert(9_001)
        let error = await backup
        #expect(error == nil || error?.kind == .unavailable, "\(error?.message ?? "")")
        #expect(try await store.counts(.all).value.total == 4_001)
        #expect(directory.names.filter { $0.hasPrefix("copy") } == (error == nil ? ["copy"] : []))
        await bench.close()
    }

    @Test("it is made, and the table looked through, also right after the disk had trouble", arguments: [true, false])
    func afterTrouble(isCopied: Bool) async throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        try await bench.insert(1)
        disk.plan { $0.kind == .open ? .fail(SQLITE_CANTOPEN) : .fail(SQLITE_IOERR) }
        #expect(await StoreBench.refusal { try await bench.insert(2) } != nil)
        disk.plan(nil)
        if isCopied {
            try await bench.store.backup(to: directory.file("copy"))
            #expect(counted(directory.file("copy")) == 1)
        } else {
            #expect(try await bench.store.integrityCheck().isEmpty)
        }
        await bench.close()
    }

    @Test("to a place that is not there or may not be written: the error names the copy, not the table")
    func wrongPlace() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        let missing = await StoreBench.refusal { try await bench.store.backup(to: directory.file("no/such/copy")) }
        #expect(missing?.message.contains("the directory of the copy \(directory.file("no/such/copy"))") == true)
        #expect(missing?.message.contains("partial") == false, "\(missing?.message ?? "")")
        for taken in [path, path + "-epoch", path + "-lock"] {
            let error = await StoreBench.refusal { try await bench.store.backup(to: taken) }
            #expect(error?.kind == .refused)
        }
        try await bench.insert(2)
        await bench.close()
    }

    @Test("what an earlier one left when its process died is no part of the next")
    func leftBehind() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        try TemporaryDirectory.write(Array(repeating: 0x5A, count: 5_000), to: copy + "-partial")
        try TemporaryDirectory.write(Array(repeating: 0x5A, count: 5_000), to: copy + "-partial-journal")
        try await bench.store.backup(to: copy)
        #expect(counted(copy) == 1)
        #expect(directory.names.filter { $0.hasPrefix("copy") } == ["copy"])
        await bench.close()
    }

    @Test("put in the place of a table whose log is still there: refused, because the log would be mixed into it")
    func staleLog() async throws {
        let bench = try await StoreBench(path)
        for number in 1...50 as ClosedRange<UInt64> { try await bench.insert(number) }
        try await bench.store.backup(to: copy)
        for number in 51...90 as ClosedRange<UInt64> { try await bench.insert(number, "db/p\(number)") }
        await bench.store.drop()
        let log = TemporaryDirectory.read(path + "-wal")
        #expect(!log.isEmpty)
        #expect(unlink(path) == 0)
        try TemporaryDirectory.copy(copy, to: path)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("leases.sqlite-wal, or put that table back") == true, "\(error?.message ?? "")")
        #expect(TemporaryDirectory.read(path) == TemporaryDirectory.read(copy))
        #expect(TemporaryDirectory.read(path + "-wal") == log)
        #expect(unlink(path + "-wal") == 0)
        let restored = try await StoreBench(path)
        #expect(restored.opening.doubts.first == .restoredBackup)
        #expect(try await restored.store.counts(.all).value.total == 50)
        #expect(try await restored.store.integrityCheck().isEmpty)
        await restored.close()
    }
}
