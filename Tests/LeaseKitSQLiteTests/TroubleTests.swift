// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Trouble with the file")
struct TroubleTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file()
    }

    @Test("every file is for its owner alone")
    func modes() async throws {
        try TemporaryDirectory.write([], to: path)
        chmod(path, 0o644)
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        #expect(directory.names == ["", "-epoch", "-lock", "-wal"].map { "leases.sqlite" + $0 })
        for name in directory.names { #expect(TemporaryDirectory.mode(directory.file(name)) == 0o600, "\(name)") }
        await bench.close()
    }

    @Test("a newer schema is refused and left untouched")
    func newerSchema() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
        StoreBench.tamper(path, "PRAGMA user_version = 99")
        let before = TemporaryDirectory.read(path)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("schema version 99") == true)
        #expect(TemporaryDirectory.read(path) == before)
    }

    @Test("another program's database is refused")
    func foreignDatabase() async throws {
        StoreBench.tamper(path, "CREATE TABLE songs (title TEXT)")
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("another program") == true)
    }

    @Test("a damaged file is refused with advice")
    func damagedFile() async throws {
        try TemporaryDirectory.write(Array(repeating: 0x5A, count: 8_192), to: path)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("restore a backup") == true)
    }

    @Test("a directory that is not there, and one that goes and comes back")
    func directoryGone() async throws {
        let missing = await StoreBench.refusal { _ = try await StoreBench(directory.file("no/such/file")) }
        #expect(missing?.kind == .unavailable)
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        let away = directory.path + "-away"
        #expect(rename(directory.path, away) == 0)
        let error = await StoreBench.refusal { try await bench.insert(2) }
        #expect(error?.kind == .unavailable)
        #expect(await StoreBench.refusal { try await bench.insert(2) }?.kind == .unavailable)
        #expect(rename(away, directory.path) == 0)
        try await bench.insert(2)
        #expect(try await bench.store.counts(.all).value.total == 2)
        await bench.close()
    }

    @Test("a file that is replaced while it is open, and put back")
    func replaced() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        let away = directory.file("away")
        #expect(rename(path, away) == 0)
        let other: [UInt8] = Array(repeating: 0x5A, count: 4_096)
        try TemporaryDirectory.write(other, to: path)
        for _ in 1...2 {
            let error = await StoreBench.refusal { try await bench.insert(2) }
            #expect(error?.kind == .unavailable)
            #expect(error?.message.contains("moved, removed or replaced") == true)
            #expect(TemporaryDirectory.read(path) == other)
        }
        #expect(rename(away, path) == 0)
        #expect(try await bench.store.find([bench.insertion(2).id]).value[0] == nil)
        try await bench.insert(2)
        #expect(try await bench.store.counts(.all).value.total == 2)
        await bench.close()
    }

    @Test("a file that is removed while it is open: no answer is given, and who means to start anew has nothing of it")
    func removed() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        #expect(unlink(path) == 0)
        for _ in 1...2 {
            let error = await StoreBench.refusal { try await bench.insert(2) }
            #expect(error?.kind == .unavailable)
            #expect(error?.message.contains("moved, removed or replaced") == true)
            let reading = await StoreBench.refusal { _ = try await bench.store.counts(.all) }
            #expect(reading?.kind == .unavailable)
        }
        #expect(!directory.names.contains("leases.sqlite"))
        await bench.close()
        // The log of the file that is gone is no part of the new one, which is a deployment of its own: it ends nothing of the other.
        #expect(unlink(path + "-epoch") == 0)
        let next = try await StoreBench(path)
        #expect(try await next.store.counts(.all).value.total == 0)
        #expect(next.opening.deployment != bench.opening.deployment)
        await next.close()
    }

    @Test("a full disk: refused, nothing half-done, and on it goes when there is room")
    func diskFull() async throws {
        let isFull = Atomic<Bool>(false)
        let begin: @Sendable () -> String? = {
            "PRAGMA max_page_count = \(isFull.load(ordering: .relaxed) ? 1 : 1_000_000)"
        }
        let bench = try await StoreBench(path, hooks: CommitHooks(begin: begin))
        try await bench.insert(1)
        isFull.store(true, ordering: .relaxed)
        var error: StoreError?
        var number: UInt64 = 1
        while error == nil && number < 1_000 {
            number += 1
            let next = number
            error = await StoreBench.refusal { try await bench.insert(next) }
        }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("full") == true)
        #expect(try await bench.store.counts(.all).value.total == Int(number) - 1)
        #expect(try await bench.store.find([bench.insertion(number).id]).value[0] == nil)
        isFull.store(false, ordering: .relaxed)
        try await bench.insert(number)
        #expect(try await bench.store.counts(.path("db/app")).value.total == Int(number))
        #expect(try await bench.store.integrityCheck().isEmpty)
        await bench.close()
    }

    @Test("an answer that is lost at the commit: the record tells")
    func lostAnswer() async throws {
        let isFailing = Atomic<Bool>(false)
        let fail: @Sendable () -> Int32? = {
            isFailing.exchange(false, ordering: .relaxed) ? SQLITE_IOERR : nil
        }
        let bench = try await StoreBench(path, hooks: CommitHooks(after: fail))
        try await bench.insert(1)
        isFailing.store(true, ordering: .relaxed)
        let error = await StoreBench.refusal { try await bench.insert(2) }
        #expect(error?.kind == .unknown)
        #expect(try await bench.store.find([bench.insertion(2).id]).value[0]?.operation == 2)
        try await bench.insert(3)
        await bench.close()
    }

    @Test("a disk that turns read-only: refused")
    func turnsReadOnly() async throws {
        let isFailing = Atomic<Bool>(false)
        let bench = try await StoreBench(
            path,
            hooks: CommitHooks(before: { isFailing.load(ordering: .relaxed) ? SQLITE_READONLY : nil })
        )
        isFailing.store(true, ordering: .relaxed)
        let error = await StoreBench.refusal { try await bench.insert(1) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("read-only") == true)
        isFailing.store(false, ordering: .relaxed)
        try await bench.insert(1)
        await bench.close()
    }

    @Test("a file and a directory that may not be written: refused, untouched, and fine again with the right to")
    func readOnly() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
        // The rights of a file do not bind root, so root has somebody else try.
        let nobody: uid_t? = geteuid() == 0 ? 65_534 : nil
        func own() {
            guard let nobody else { return }
            for name in directory.names { #expect(chown(directory.file(name), nobody, nobody) == 0) }
            #expect(chown(directory.path, nobody, nobody) == 0)
        }
        func attempt() throws -> String? {
            own()
            return try ChildProcess("KillSubject", ["try", path] + (nobody.map { ["\($0)"] } ?? [])).line()
        }
        let before = TemporaryDirectory.read(path)
        #expect(chmod(path, 0o400) == 0)
        let file = try attempt()
        #expect(
            file?.hasPrefix("refused: ") == true && file?.contains("is read-only; give this user") == true,
            "\(file ?? "")"
        )
        #expect(chmod(path, 0o600) == 0)
        #expect(unlink(path + "-lock") == 0)
        #expect(chmod(directory.path, 0o500) == 0)
        let folder = try attempt()
        #expect(folder?.hasPrefix("refused: ") == true && folder?.contains("its directory") == true, "\(folder ?? "")")
        #expect(chmod(directory.path, 0o700) == 0)
        #expect(TemporaryDirectory.read(path) == before)
        #expect(try attempt() == "wrote")
    }
}
