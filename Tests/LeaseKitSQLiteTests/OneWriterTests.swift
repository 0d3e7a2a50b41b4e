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

@Suite("One writer")
struct OneWriterTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file()
    }

    /// A process that has the database open, and the child that it forked.
    private func holder(_ how: String) throws -> (process: ChildProcess, child: pid_t) {
        let process = try ChildProcess("KillSubject", ["hold", path, how])
        let words = try #require(process.line()).split(separator: " ")
        try #require(words.first == "holds")
        return (process, pid_t(words.last ?? "") ?? 0)
    }

    @Test("another process is refused at once, and let in when the first is dead")
    func anotherProcess() async throws {
        let first = try holder("only").process
        for _ in 1...3 {
            let error = await StoreBench.refusal { _ = try await StoreBench(path) }
            #expect(error?.kind == .unavailable)
            #expect(error?.message.contains("in process \(first.id)") == true)
        }
        first.kill()
        #expect(first.waitForEnd())
        let bench = try await StoreBench(path)
        #expect(bench.opening.incarnation.rawValue > 1)
        await bench.close()
    }

    @Test("a forked child that outlives its parent does not keep the file")
    func forkedChild() async throws {
        let (parent, child) = try holder("fork")
        defer { kill(child, SIGKILL) }
        #expect(await StoreBench.refusal { _ = try await StoreBench(path) }?.kind == .unavailable)
        parent.kill()
        #expect(parent.waitForEnd())
        #expect(kill(child, 0) == 0)
        let bench = try await StoreBench(path)
        // Whoever took over that way holds it as well as anybody.
        #expect(try ChildProcess("KillSubject", ["try", path]).line()?.contains("is open already") == true)
        await bench.close()
        #expect(try ChildProcess("KillSubject", ["try", path]).line() == "wrote")
    }

    @Test("a store that was closed is free, whatever its process forked before")
    func closedAfterFork() async throws {
        let (parent, child) = try holder("release")
        defer { for id in [child, parent.id] { kill(id, SIGKILL) } }
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
    }

    @Test("a second store in the process is refused, and does not loosen the hold of the first")
    func sameProcess() async throws {
        let bench = try await StoreBench(path)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("in this very process") == true)
        #expect(try ChildProcess("KillSubject", ["try", path]).line()?.contains("in process \(getpid())") == true)
        // What a program that copies the directory does, in this process: it drops the lock that the system keeps for a process.
        for name in directory.names { _ = TemporaryDirectory.read(directory.file(name)) }
        #expect(try ChildProcess("KillSubject", ["try", path]).line()?.contains("is open already") == true)
        // Nor does it help that nobody can say who has it, as where the disk had no room for the note.
        try TemporaryDirectory.write([], to: path + "-lock")
        #expect(try ChildProcess("KillSubject", ["try", path]).line()?.contains("is open already;") == true)
        try await bench.insert(1)
        await bench.close()
        let again = try await StoreBench(path)
        #expect(try await again.store.counts(.all).value.total == 1)
        await again.close()
    }

    @Test("another program that reads and writes the file with SQLite is waited for by nobody, and kept out meanwhile")
    func anotherProgram() async throws {
        let bench = try await StoreBench(path)
        try await bench.insert(1)
        await bench.close()
        var other: OpaquePointer?
        #expect(sqlite3_open(path, &other) == SQLITE_OK)
        defer { sqlite3_close(other) }
        #expect(sqlite3_exec(other, "BEGIN IMMEDIATE; DELETE FROM lease", nil, nil, nil) == SQLITE_OK)
        let error = await StoreBench.refusal { _ = try await StoreBench(path) }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("is locked by another process; stop that one") == true)
        #expect(sqlite3_exec(other, "ROLLBACK", nil, nil, nil) == SQLITE_OK)
        #expect(sqlite3_close(other) == SQLITE_OK)
        other = nil
        let next = try await StoreBench(path)
        #expect(try await next.store.counts(.all).value.total == 1)
        // The other way round: nothing is read or written behind the back of a manager.
        #expect(sqlite3_open(path, &other) == SQLITE_OK)
        #expect(sqlite3_exec(other, "DELETE FROM lease", nil, nil, nil) == SQLITE_BUSY)
        #expect(sqlite3_exec(other, "SELECT count(*) FROM lease", nil, nil, nil) == SQLITE_BUSY)
        try await next.insert(2)
        await next.close()
    }
}
