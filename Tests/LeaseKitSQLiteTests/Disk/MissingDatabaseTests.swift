// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("A database that is gone while its epoch file is there")
struct MissingDatabaseTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file()
    }

    /// A table with a lease; its deployment.
    private func begin() async throws -> String {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
        return bench.opening.deployment
    }

    /// What lies in the directory, by name.
    private var files: [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: directory.names.map { ($0, TemporaryDirectory.read(directory.file($0))) })
    }

    @Test("is refused, and nothing is made or changed, however it went", arguments: ["removed", "emptied"])
    func refused(way: String) async throws {
        _ = try await begin()
        unlink(path)
        if way == "emptied" { try TemporaryDirectory.write([], to: path) }
        // Of a process that was killed: it is half of what there is to put back.
        try TemporaryDirectory.write([1, 2, 3], to: path + "-wal")
        let before = files
        for _ in 1...2 {
            let error = await StoreBench.refusal { _ = try await StoreBench(path) }
            #expect(error?.kind == .refused)
            #expect(error?.message.contains("is missing or empty") == true)
            #expect(error?.message.contains("remove \(path)-epoch first") == true)
            #expect(files == before)
        }
    }

    @Test("opens as it was when it is put back")
    func putBack() async throws {
        let deployment = try await begin()
        let away = directory.file("away")
        #expect(rename(path, away) == 0)
        #expect(await StoreBench.refusal { _ = try await StoreBench(path) } != nil)
        #expect(rename(away, path) == 0)
        let bench = try await StoreBench(path)
        #expect(bench.opening.deployment == deployment)
        #expect(bench.opening.doubts.isEmpty)
        #expect(try await bench.store.counts(.all).value.total == 1)
        await bench.close()
    }

    @Test("gives way to a backup, which is held off")
    func backup() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        try await bench.store.backup(to: directory.file("backup"))
        await bench.close()
        unlink(path)
        #expect(rename(directory.file("backup"), path) == 0)
        let restored = try await StoreBench(path)
        #expect(restored.opening.deployment == bench.opening.deployment)
        #expect(restored.opening.doubts.contains(.restoredBackup))
        await restored.close()
    }

    @Test("begins anew without the epoch file, and with one that says nothing", arguments: [true, false])
    func anew(isRemoved: Bool) async throws {
        let deployment = try await begin()
        unlink(path)
        if isRemoved { unlink(path + "-epoch") } else { try TemporaryDirectory.write([], to: path + "-epoch") }
        let bench = try await StoreBench(path)
        #expect(bench.opening.deployment != deployment)
        #expect(bench.opening.doubts.isEmpty)
        #expect(try await bench.store.counts(.all).value.total == 0)
        await bench.close()
    }

    /// Here the epoch file lies on a disk that keeps all that it was told, and the database on one that keeps what was synced.
    @Test(
        "is none that a power cut interrupted while it was made",
        arguments: PowerCut.allCases,
        [SQLiteLeaseStore.Durability.full, .mayForgetLatestInPowerCut]
    )
    func powerCut(cut: PowerCut, durability: SQLiteLeaseStore.Durability) async throws {
        /// Makes a table, cuts the power, and opens what is left; how many changes of the disk it took.
        func make(seed: UInt64, _ plan: @escaping @Sendable (DiskCall) -> DiskAnswer) async throws -> Int {
            let directory = try TemporaryDirectory.inMemory()
            let disk = FaultyDisk(seed: seed)
            disk.plan(plan)
            let options = SQLiteLeaseStore.Options(durability: durability)
            let store = SQLiteLeaseStore(path: directory.file(), options: options, hooks: disk.hooks, isInline: true)
            if let opening = try? await StoreBench.open(store) {
                _ = try? await store.register(path: "db", kind: "test", StoreBench.context(opening))
            }
            let changes = disk.changes
            disk.cut(cut)
            await store.drop()
            disk.restart()
            let again = SQLiteLeaseStore(path: directory.file(), options: options, hooks: disk.hooks, isInline: true)
            await again.close(try await StoreBench.open(again).incarnation)
            return withExtendedLifetime(directory) { changes }
        }
        let changes = try await make(seed: 1) { _ in .done }
        #expect(changes > 20)
        for number in 1...changes {
            await #expect(throws: Never.self, "\(cut) at call \(number)") {
                _ = try await make(seed: UInt64(number)) { $0.number == number ? .cut(cut) : .done }
            }
        }
    }
}
