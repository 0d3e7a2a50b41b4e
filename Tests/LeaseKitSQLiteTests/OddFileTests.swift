// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a path may lead to by mistake, and what names a file may have.
@Suite("A path that leads to something else")
struct OddFileTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file()
    }

    @Test("a directory is refused, and stays as it is", .timeLimit(.minutes(1)))
    func folder() async throws {
        #expect(mkdir(path, 0o755) == 0)
        defer { rmdir(path) }
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("is a directory; name a file") == true, "\(error?.message ?? "")")
        #expect(TemporaryDirectory.mode(path) == 0o755)
        #expect(directory.names == ["leases.sqlite"])
    }

    @Test("a pipe is refused, and stays as it is: a device of the system would", .timeLimit(.minutes(1)))
    func pipe() async throws {
        #expect(mkfifo(path, 0o600) == 0 && chmod(path, 0o666) == 0)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("is not a file; name one") == true, "\(error?.message ?? "")")
        #expect(TemporaryDirectory.mode(path) == 0o666)
        #expect(directory.names == ["leases.sqlite"])
    }

    @Test("another program's database keeps its mode, and whoever reads it goes on")
    func foreignMode() async throws {
        StoreBench.tamper(path, "CREATE TABLE songs (title TEXT)")
        #expect(chmod(path, 0o644) == 0)
        let before = TemporaryDirectory.read(path)
        #expect(await StoreBench.refusal { _ = try await StoreBench(path) }?.kind == .refused)
        #expect(TemporaryDirectory.mode(path) == 0o644)
        #expect(TemporaryDirectory.read(path) == before)
    }

    @Test("the names that SQLite has for tables in memory are no files", arguments: ["", ":memory:"])
    func inMemory(name: String) async throws {
        let error = await StoreBench.refusal { _ = try await StoreBench(name) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("InMemoryLeaseStore") == true, "\(error?.message ?? "")")
        #expect(access(":memory:", F_OK) != 0)
    }

    @Test(
        "a name is a name, whatever it looks like",
        arguments: [
            "with spaces", "file:leases?mode=memory", "100%41", "a?mode=ro", "it's \"quoted\"", "Schlüssel", ":memory:",
            "#1",
        ]
    )
    func names(name: String) async throws {
        var bench = try await StoreBench(directory.file(name))
        try await bench.insert(1)
        #expect(directory.names == ["", "-epoch", "-lock", "-wal"].map { name + $0 })
        await bench.close()
        bench = try await StoreBench(directory.file(name))
        #expect(try await bench.store.counts(.all).value.total == 1)
        #expect(bench.opening.doubts.isEmpty)
        await bench.close()
    }

    @Test("a name that is too long for SQLite is refused with advice, and nothing is made")
    func tooLong() async throws {
        var folder = directory.path
        var folders: [String] = []
        while folder.utf8.count < 600 {
            folder += "/" + String(repeating: "d", count: 100)
            #expect(mkdir(folder, 0o700) == 0)
            folders.append(folder)
        }
        defer { for folder in folders.reversed() { rmdir(folder) } }
        let error = await StoreBench.refusal { _ = try await StoreBench(folder + "/leases.sqlite") }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("is too long") == true, "\(error?.message ?? "")")
        #expect(rmdir(folder) == 0, "nothing was made")
        _ = mkdir(folder, 0o700)
    }

    @Test("a process that moves to another directory keeps its file")
    func anotherDirectory() throws {
        let child = try ChildProcess("KillSubject", ["wander", directory.path])
        #expect(child.line() == "wrote")
        #expect(child.line() == "wrote")
        #expect(child.line() == nil)
        _ = child.waitForEnd()
        #expect(directory.names == ["leases.sqlite", "leases.sqlite-epoch", "leases.sqlite-lock"])
    }

    @Test("by a link to it, it is the same file with the same ones beside it")
    func link() async throws {
        let elsewhere = try TemporaryDirectory()
        var bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
        #expect(symlink(path, elsewhere.file("link")) == 0)
        bench = try await StoreBench(elsewhere.file("link"))
        #expect(bench.opening.doubts.isEmpty)
        try await bench.insert(2)
        #expect(elsewhere.names == ["link"])
        let second = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(second?.message.contains("in this very process") == true, "\(second?.message ?? "")")
        await bench.close()
        bench = try await StoreBench(path)
        #expect(bench.opening.doubts.isEmpty)
        #expect(try await bench.store.counts(.all).value.total == 2)
        await bench.close()
    }

    @Test("what lies beside the file is for its owner alone, too, however it got there")
    func modesBeside() async throws {
        var bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.store.drop()
        #expect(directory.names.count == 4)
        for name in directory.names { #expect(chmod(directory.file(name), 0o644) == 0) }
        bench = try await StoreBench(path)
        for name in directory.names { #expect(TemporaryDirectory.mode(directory.file(name)) == 0o600, "\(name)") }
        await bench.close()
    }

    @Test("a head that is damaged is refused with advice", arguments: [-1, -2_147_483_648, 0])
    func damagedVersion(version: Int) async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
        StoreBench.tamper(path, "PRAGMA user_version = \(version)")
        let before = TemporaryDirectory.read(path)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("restore a backup") == true, "\(error?.message ?? "")")
        #expect(TemporaryDirectory.read(path) == before)
    }
}
