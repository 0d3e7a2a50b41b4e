// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import Testing

/// A commit that fails may be in the file: what is answered is what the next process finds.
@Suite("A commit that fails")
struct FailedCommitTests {
    /// Where the disk fails a commit, and how.
    struct Fault: Sendable, CustomTestStringConvertible {
        let kind: DiskCall.Kind
        let answer: DiskAnswer
        /// Whether the commit is in the file all the same.
        let isDone: Bool
        let refusal: StoreError.Kind

        var testDescription: String { "\(answer) at a \(kind)" }

        static let all = [SQLITE_FULL, SQLITE_IOERR].flatMap { code in
            let refusal: StoreError.Kind = code == SQLITE_FULL ? .refused : .unavailable
            return [
                Fault(kind: .write, answer: .fail(code), isDone: false, refusal: refusal),
                Fault(kind: .write, answer: .tear(code), isDone: false, refusal: refusal),
                Fault(kind: .sync, answer: .fail(code), isDone: true, refusal: refusal),
                Fault(kind: .sync, answer: .lie(code), isDone: true, refusal: refusal),
            ]
        }
    }

    /// How the process ends after the answer.
    enum End: CaseIterable, Sendable { case killed, withoutPower }

    @Test("is read again, and told as what it is", arguments: Fault.all, End.allCases)
    func isToldAsItIs(fault: Fault, end: End) async throws {
        let (bench, disk, directory) = try await open()
        let hits = Locked(0)
        disk.plan { call in
            guard call.kind == fault.kind, call.file == .log, hits.withLock({ $0 }) == 0 else { return .done }
            hits.withLock { $0 += 1 }
            return fault.answer
        }
        let error = await StoreBench.refusal { try await bench.insert(2) }
        #expect(hits.withLock { $0 } == 1)
        #expect(error?.kind == (fault.isDone ? nil : fault.refusal))
        #expect((try await bench.store.find([bench.insertion(2).id]).value[0] != nil) == fault.isDone)
        try await expect([1] + (fault.isDone ? [2] : []), after: end, bench, disk, directory)
    }

    @Test("is of unknown outcome while what the file holds cannot be made safe, and told by its record then")
    func isUnknownWithoutASync() async throws {
        let (bench, disk, directory) = try await open()
        disk.plan { $0.kind == .sync ? .fail(SQLITE_IOERR) : .done }
        let error = await StoreBench.refusal { try await bench.insert(2) }
        #expect(error?.kind == .unknown)
        #expect(await StoreBench.refusal { try await bench.insert(3) }?.kind == .unavailable)
        disk.plan(nil)
        #expect(try await bench.store.find([bench.insertion(2).id]).value[0]?.operation == 2)
        try await bench.insert(3)
        try await expect([1, 2, 3], after: .withoutPower, bench, disk, directory)
    }

    /// The log begins anew with a head that is synced by itself; without it nothing after it counts.
    @Test("and took the head of the log with it takes no later one along", arguments: [SQLITE_FULL, SQLITE_IOERR])
    func headOfTheLog(code: Int32) async throws {
        let (bench, disk, directory) = try await open()
        try await bench.store.vacuum()
        let hits = Locked(0)
        disk.plan { call in
            guard call.kind == .sync, hits.withLock({ $0 }) == 0 else { return .done }
            hits.withLock { $0 += 1 }
            return .fail(code)
        }
        #expect(await StoreBench.refusal { try await bench.insert(2) } != nil)
        #expect(hits.withLock { $0 } == 1)
        #expect(try await bench.store.find([bench.insertion(2).id]).value[0] == nil)
        try await bench.insert(3)
        try await expect([1, 3], after: .withoutPower, bench, disk, directory)
    }

    @Test("is believed by the next process only when it is safe")
    func nextProcess() async throws {
        let (bench, disk, directory) = try await open()
        disk.plan { $0.kind == .sync ? .fail(SQLITE_IOERR) : .done }
        #expect(await StoreBench.refusal { try await bench.insert(2) }?.kind == .unknown)
        disk.cut(.leavesAll)
        await bench.store.drop()
        disk.plan(nil)
        disk.restart()
        let next = try await StoreBench(directory.file(), hooks: disk.hooks)
        #expect(try await next.store.find([bench.insertion(2).id]).value[0] != nil)
        try await expect([1, 2], after: .withoutPower, next, disk, directory)
    }

    private func open() async throws -> (StoreBench, FaultyDisk, TemporaryDirectory) {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let bench = try await StoreBench(directory.file(), hooks: disk.hooks)
        try await bench.insert(1)
        return (bench, disk, directory)
    }

    private func expect(
        _ numbers: [UInt64],
        after end: End,
        _ bench: StoreBench,
        _ disk: FaultyDisk,
        _ directory: TemporaryDirectory
    ) async throws {
        disk.cut(end == .killed ? .leavesAll : .leavesNothing)
        await bench.store.drop()
        disk.restart()
        let next = try await StoreBench(directory.file(), hooks: disk.hooks)
        let found = try await next.store.find((1...3).map { bench.insertion($0).id }).value
        #expect(found.map { $0 != nil } == (1...3).map { numbers.contains($0) })
        await next.close()
    }
}
