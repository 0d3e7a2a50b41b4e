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

/// A copy of the table that went on elsewhere must not cut short what was renewed since.
@Suite("A database that may be a copy")
struct WitnessTests {
    /// How a copy comes to be in the place of the table.
    enum Way: CaseIterable {
        case backup, olderCopy, noEpochFile, tornEpochFile, otherEpochFile

        var doubt: String {
            switch self {
            case .backup: "backup"
            case .olderCopy: "older copy"
            case .noEpochFile: "missing"
            case .tornEpochFile: "cannot be read"
            case .otherEpochFile: "another deployment"
            }
        }
    }

    @Test("nothing is ended or swept until resume, which begins a new epoch", arguments: Way.allCases)
    func heldOff(way: Way) async throws {
        let directory = try TemporaryDirectory()
        let time = VirtualTime()
        let target = InMemoryTarget(time: time)
        let path = directory.file()
        let copy = directory.file("copy")
        let backend = InMemoryBackend(
            target: target,
            time: time,
            roles: ["app": InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(7_200)))],
            abilities: BackendAbilities(isRenewable: true, callStyle: .immediate)
        )
        let store = SQLiteLeaseStore(path: path, isInline: true)
        var secret: FakeCredential?
        try await withLeaseManager(store: store, time: time) { manager in
            let mount = try await manager.mount(backend, at: "database")
            let lease = try await mount.issue("app")
            if way == .backup {
                try await store.backup(to: copy)
            } else {
                try TemporaryDirectory.copy(path, to: copy)
            }
            // Renewed after the copy was made: by the copy's word it is over in a minute.
            _ = try await mount.renew(lease.id, RenewOptions(increment: .seconds(3_600)))
            secret = lease.secret
        }
        try put(copy, in: path, way)
        await time.advance(by: .seconds(300))

        let restored = SQLiteLeaseStore(path: path, isInline: true)
        try await withLeaseManager(store: restored, time: time) { manager in
            let mount = try await manager.mount(backend, at: "database")
            #expect(manager.holdOffReasons.contains { $0.description.contains(way.doubt) }, "\(manager.holdOffReasons)")
            let before = try await manager.counts()
            #expect(before[.active] == 1)
            _ = try await mount.issue("app")
            let live = try #require(secret)
            #expect(target.check(live))
            await #expect(throws: LeaseError.self) { _ = try await manager.sweepOrphans(ofMountAt: "database") }
            try await manager.resume()
            #expect(manager.holdOffReasons.isEmpty)
        }
        // The new epoch stands: the next opening has no doubt.
        let opening = try await StoreBench.open(SQLiteLeaseStore(path: path, isInline: true))
        #expect(opening.doubts.isEmpty)
        #expect(opening.livedEpochs.count == 2)
    }

    private func put(_ copy: String, in path: String, _ way: Way) throws {
        switch way {
        case .backup, .olderCopy:
            unlink(path)
            unlink(path + "-wal")
            try TemporaryDirectory.copy(copy, to: path)
        case .noEpochFile:
            unlink(path + "-epoch")
        case .tornEpochFile:
            try TemporaryDirectory.write(Array("leasekit 1 half".utf8), to: path + "-epoch")
        case .otherEpochFile:
            let text = String(decoding: TemporaryDirectory.read(path + "-epoch"), as: UTF8.self)
            #expect(text.hasPrefix("leasekit 1 "))
            try TemporaryDirectory.write(otherEpochFile, to: path + "-epoch")
        }
    }

    /// What the epoch file of a deployment called "somebody-else" says.
    private var otherEpochFile: [UInt8] {
        let line = "leasekit 1 somebody-else 1 1"
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Array("\(line) \(String(hash, radix: 36))\n".utf8)
    }

    @Test("a doubt stays through crashes until somebody resolves it")
    func doubtStays() async throws {
        let directory = try TemporaryDirectory()
        let bench = try await StoreBench(directory.file())
        try await bench.insert(1)
        await bench.close()
        unlink(directory.file() + "-epoch")
        for _ in 0..<3 {
            let again = try await StoreBench(directory.file())
            #expect(again.opening.doubts.count == 1)
            await again.close()
        }
    }

    @Test("the table itself is never in doubt, however it was left")
    func noDoubt() async throws {
        let directory = try TemporaryDirectory()
        for round in 1...4 as ClosedRange<UInt64> {
            let bench = try await StoreBench(directory.file())
            #expect(bench.opening.doubts.isEmpty)
            try await bench.insert(round)
            await bench.close()
        }
    }

    @Test("a backup is whole, refuses to overwrite, and the table goes on meanwhile")
    func backup() async throws {
        let directory = try TemporaryDirectory()
        let bench = try await StoreBench(directory.file(), isInline: false)
        for number in 1...300 as ClosedRange<UInt64> { try await bench.insert(number, "db/p\(number % 7)") }
        async let copying: Void = bench.store.backup(to: directory.file("copy"))
        for number in 301...320 as ClosedRange<UInt64> { try await bench.insert(number) }
        try await copying
        #expect(TemporaryDirectory.mode(directory.file("copy")) == 0o600)
        let error = await StoreBench.refusal { try await bench.store.backup(to: directory.file("copy")) }
        #expect(error?.kind == .refused)
        try await bench.store.vacuum()
        #expect(try await bench.store.integrityCheck().isEmpty)
        #expect(try await bench.store.counts(.all).value.total == 320)
        await bench.close()
        let restored = try await StoreBench(directory.file("copy"))
        #expect(
            restored.opening.doubts == [.restoredBackup, StoreDoubt(restored.opening.doubts.last?.description ?? "")]
        )
        #expect(try await restored.store.counts(.all).value.total >= 300)
        #expect(try await restored.store.integrityCheck().isEmpty)
        await restored.close()
    }
}
