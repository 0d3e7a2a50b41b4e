// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import Testing

@Suite("Writes that a power cut lost or tore")
struct LostWriteTests {
    /// SQLite syncs its log at every commit, so a cut takes at most what came after the last sync, and may tear it anywhere.
    ///
    /// Every prefix of the log is such a disk; each has to hold all that was answered by then, and nothing half.
    @Test("every prefix of the log holds what was answered by then")
    func prefixes() async throws {
        let directory = try TemporaryDirectory()
        let bench = try await StoreBench(directory.file())
        var answered: [(length: Int, count: Int)] = []
        for number in 1...30 as ClosedRange<UInt64> {
            try await bench.insert(number, "db/p\(number % 3)")
            answered.append((TemporaryDirectory.read(directory.file() + "-wal").count, Int(number)))
        }
        let main = TemporaryDirectory.read(directory.file())
        let log = TemporaryDirectory.read(directory.file() + "-wal")
        await bench.close()
        guard let first = answered.first?.length else { return }
        for cut in stride(from: first, through: log.count, by: 9_001) {
            let copy = try TemporaryDirectory()
            try TemporaryDirectory.write(main, to: copy.file())
            try TemporaryDirectory.write(Array(log[0..<cut]), to: copy.file() + "-wal")
            let reopened = try await StoreBench(copy.file())
            let expected = answered.last { $0.length <= cut }?.count ?? 0
            let counts = try await reopened.store.counts(.all).value
            #expect(counts.total == expected, "cut at \(cut)")
            let page = try await reopened.store.page(.all, after: nil, limit: 100).value
            #expect(page.records.count == expected)
            #expect(try await reopened.store.integrityCheck().isEmpty)
            await reopened.close()
        }
    }
}
