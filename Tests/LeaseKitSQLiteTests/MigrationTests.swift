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

/// A database of every earlier version opens, and nothing in it is lost.
///
/// A fixture is made from the steps that led to its version and rows as that version wrote them, byte by byte: the statements below
/// never change again. A new version adds a case.
@Suite("Databases of earlier versions")
struct MigrationTests {
    @Test("open and keep their leases", arguments: SchemaFixture.versions)
    func opens(version: Int) async throws {
        let directory = try TemporaryDirectory()
        try SchemaFixture.make(version: version, at: directory.file())
        StoreBench.tamper(directory.file(), Self.rows(version))
        let bench = try await StoreBench(directory.file())
        #expect(bench.opening.deployment == "fixture")
        #expect(bench.opening.incarnation == Incarnation(rawValue: 4))
        let record = try #require(try await bench.store.find([LeaseID(high: 1, low: 2)]).value[0])
        #expect(record.path == "db/app")
        #expect(record.handle == [0xAA, 0xBB])
        #expect(record.role == [0x52])
        #expect(record.state == .active)
        #expect(record.owner == "ann")
        #expect(record.expiresAt == LeaseInstant(secondsSinceEpoch: 1_800_000_600))
        #expect(try await bench.store.counts(.owner("ann")).value[.active] == 1)
        #expect(try await bench.store.mounts().value == [MountRegistration(id: bench.mount, path: "db", kind: "test")])
        let page = try await bench.store.page(LeaseQuery(prefix: "db"), after: nil, limit: 10).value
        #expect(page.records.map(\.id) == [record.id])
        #expect(try await bench.store.integrityCheck().isEmpty)
        let removal = LeaseChange.update(record.id, .remove(nil, .abandoned))
        let removed = try await bench.store.apply([removal], StoreBench.context(bench.opening)).value[0]
        #expect(removed.record?.id == record.id)
        #expect(try await bench.store.page(.all, after: nil, limit: 10).value.records.isEmpty)
        try await bench.store.vacuum()
        await bench.close()
        for table in ["lease", "lease_name", "placed", "gone"] {
            #expect(StoreBench.number(directory.file(), "SELECT count(*) FROM \(table)") == 0, "\(table)")
        }
    }

    /// Power that goes and room that runs out at every single call to the disk: a table is of the old version or of the new one.
    @Test(
        "survive whatever ends the change to a later one",
        arguments: SchemaFixture.versions.dropLast(),
        Trouble.allCases
    )
    func isInterrupted(version: Int, trouble: Trouble) async throws {
        let directory = try TemporaryDirectory.inMemory()
        try SchemaFixture.make(version: version, at: directory.file())
        StoreBench.tamper(directory.file(), Self.rows(version) + Self.moreRows)
        let old = TemporaryDirectory.read(directory.file())
        var (number, isInterrupted) = (0, true)
        while isInterrupted {
            number += 3
            let disk = FaultyDisk(seed: UInt64(number))
            disk.put(old, at: directory.file())
            let deadly = number
            disk.plan { call in
                switch trouble {
                case .cut(let cut): call.number == deadly && call.kind.isChange ? .cut(cut) : .done
                case .full: call.number >= deadly && call.kind == .write ? .fail(SQLITE_FULL) : .done
                }
            }
            let store = SQLiteLeaseStore(path: directory.file(), hooks: disk.hooks, isInline: true)
            let error = await StoreBench.refusal { _ = try await StoreBench.open(store) }
            isInterrupted = error != nil
            if trouble == .full && isInterrupted {
                #expect(error?.kind == .refused && error?.message.contains("full") == true, "\(error?.message ?? "")")
            } else {
                disk.cut(.leavesAll)
                await store.drop()
                disk.restart()
            }
            disk.plan(nil)
            let next = try await StoreBench(directory.file(), hooks: disk.hooks)
            #expect(try await next.store.counts(.all).value.total == 301, "\(trouble) at call \(number)")
            #expect(try await next.store.find([LeaseID(high: 1, low: 2)]).value[0]?.owner == "ann")
            #expect(try await next.store.integrityCheck().isEmpty)
            await next.store.drop()
            unlink(directory.file() + "-epoch")
        }
        #expect(number > 30)
    }

    enum Trouble: Hashable, CaseIterable {
        case cut(PowerCut)
        case full

        static let allCases = PowerCut.allCases.map { Trouble.cut($0) } + [.full]
    }

    /// Leases beside the one of the fixture: nobody looks at what their records say.
    private static let moreRows = """
        WITH RECURSIVE number (n) AS (VALUES (2) UNION ALL SELECT n + 1 FROM number WHERE n < 301)
        INSERT INTO lease (sequence, id, place, mount, urgency, record)
            SELECT n, randomblob(16), 1, 1, 0, randomblob(120) FROM number;
        UPDATE place SET n1 = 301; UPDATE mount SET n1 = 301; UPDATE life SET sequence = 301;
        """

    private static func rows(_ version: Int) -> String {
        // One record, as version 1 of its layout has it: version, id, parent, sequence, operation, order, claim; issued, expires, due,
        // last renewal; mount, generation, incarnation, attempts; state, kind, urgency, flags; path, handle, role; owner.
        let record =
            "01" + "01000000000000000200000000000000" + "00000000000000000000000000000000"
            + "0100000000000000" + "0700000000000000" + "0000000000000000" + "0000000000000000"
            + hex(1_800_000_000_000_000_000) + hex(1_800_000_600_000_000_000) + hex(1_800_000_600_000_000_000)
            + "0000000000000080" + "01000000" + "02000000" + "03000000" + "00000000" + "01000001"
            + "00000000" + "02000000AABB" + "00000000" + "05" + "07000000" + "03000000616E6E"
        // The entries of a lease, and those of two that were removed, which have the path of the first.
        let indexes = """
            INSERT INTO lease_name (name, lease) VALUES
                (x'00000000000000010000000000000002', 1), (x'00000000000000010000000000000003', 0);
            INSERT INTO placed (at, lease) VALUES (1, 1), (1, 0), (1, -1);
            INSERT INTO gone (number, name, lease, at) VALUES
                (7, x'00000000000000010000000000000003', 0, 1), (8, x'00000000000000010000000000000004', -1, 1);
            """
        return """
            UPDATE life SET deployment = 'fixture', incarnation = 3, sequence = 1, mount = 1;
            INSERT INTO mount (id, path, kind, n1) VALUES (1, 'db', 'test', 1);
            INSERT INTO place (id, path, mount, n1) VALUES (1, 'db/app', 1, 1);
            INSERT INTO owner (id, name, n1) VALUES (1, 'ann', 1);
            INSERT INTO role (id, version, uses) VALUES (1, x'52', 1);
            INSERT INTO lease (sequence, id, place, mount, role, owner, urgency, due, record) VALUES
                (1, x'00000000000000010000000000000002', 1, 1, 1, 1, 0, 1800000600000000000, x'\(record)');
            \(version >= 2 ? indexes : "")
            """
    }

    private static func hex(_ number: Int64) -> String {
        withUnsafeBytes(of: number.littleEndian) { bytes in
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}
