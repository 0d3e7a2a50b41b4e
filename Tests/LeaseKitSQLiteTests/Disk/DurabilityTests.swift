// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitSQLite

/// What a power cut would leave is looked at from where it counts: inside the calls to the backend, and after each answer.
@Suite("What is safe on the disk, and when")
struct DurabilityTests {
    @Test("a lease before its credential is made, and its activation before that is handed out")
    func order() async throws {
        let directory = try TemporaryDirectory.inMemory()
        let path = directory.file()
        let disk = FaultyDisk()
        let images = Locked<[String: Image]>([:])
        let look: @Sendable (String) -> Void = { moment in
            images.withLock {
                $0[moment] = Image(main: disk.safeContent(of: path), log: disk.safeContent(of: path + "-wal"))
            }
        }
        let store = SQLiteLeaseStore(path: path, hooks: disk.hooks, isInline: true)
        let (lease, renewed) = try await withLeaseManager(store: store) { manager in
            let mount = try await manager.mount(WatchedBackend(look: look), at: "db")
            let lease = try await mount.issue("app", IssueOptions(ttl: .seconds(600)))
            look("issued")
            let renewed = try await mount.renew(lease.id, RenewOptions(increment: .seconds(3_000)))
            look("renewed")
            #expect(try await mount.revoke(lease.id).revoked == 1)
            look("revoked")
            return (lease, renewed)
        }
        let found = images.withLock { $0 }
        func record(_ moment: String) async throws -> LeaseRecord? { try await found[moment]?.record(lease.id) }
        let making = try #require(try await record("making"))
        #expect(making.state == .pending)
        #expect(making.handle == Array("made for \(lease.id)".utf8))
        let issued = try #require(try await record("issued"))
        #expect(issued.state == .active)
        #expect(issued.expiresAt == lease.expiresAt)
        let extended = try #require(try await record("renewed"))
        #expect(extended.state == .active)
        #expect(extended.expiresAt == renewed.expiresAt)
        #expect(extended.expiresAt > issued.expiresAt)
        #expect(try await record("ending")?.state == .revoking)
        #expect(found["revoked"] != nil)
        #expect(try await record("revoked") == nil)
    }

    @Test("callers that come while a sync runs share the next one, and each is answered after it")
    func groupCommit() throws {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        let engine = Engine(path: directory.file(), options: .init(), hooks: disk.hooks, entropy: .system)
        let reading = TimeReading(
            wall: StoreBench.now,
            continuous: .seconds(5),
            suspending: .seconds(5),
            bootID: "boot"
        )
        let opening = try engine.open(at: reading)
        let context = StoreBench.context(opening)
        let syncs = Locked(0)
        disk.plan { call in
            if call.kind == .sync { syncs.withLock { $0 += 1 } }
            return .done
        }
        // What has queued up while the thread was busy.
        let answers = Locked<[(isApplied: Bool, syncs: Int)]>([])
        let calls = (1...64).map { number in
            Call(isAlone: false) { engine in
                try engine.table(for: context).apply(
                    .insert(StoreBench.insertion(number, of: MountID(rawValue: 1))),
                    context
                )
            } finish: { result in
                let isApplied = (try? result.get())?.record != nil
                answers.withLock { $0.append((isApplied, syncs.withLock { $0 })) }
            }
        }
        engine.run(calls)
        #expect(syncs.withLock { $0 } == 1)
        #expect(answers.withLock { $0 }.count == 64)
        #expect(answers.withLock { $0 }.allSatisfy { $0 == (true, 1) })
        // One caller alone has a sync of its own.
        for _ in 1...3 {
            let number = UInt64(100 + syncs.withLock { $0 })
            engine.run([
                Call(isAlone: false) { engine in
                    try engine.table(for: context).apply(
                        .insert(StoreBench.insertion(number, of: MountID(rawValue: 1))),
                        context
                    )
                } finish: { _ in
                }
            ])
        }
        #expect(syncs.withLock { $0 } == 4)
        engine.drop()
    }
}

/// What a power cut would leave of a database.
private struct Image: Sendable {
    let main: [UInt8]?
    let log: [UInt8]?

    /// A lease in it, to a process that comes after.
    func record(_ id: LeaseID) async throws -> LeaseRecord? {
        let directory = try TemporaryDirectory.inMemory()
        let disk = FaultyDisk()
        disk.put(main, at: directory.file())
        disk.put(log, at: directory.file() + "-wal")
        try TemporaryDirectory.write([], to: directory.file())
        let store = SQLiteLeaseStore(path: directory.file(), hooks: disk.hooks, isInline: true)
        let opening = try await StoreBench.open(store)
        let record = try await store.find([id]).value[0]
        await store.close(opening.incarnation)
        return record
    }
}

/// A backend that has somebody look while it is at work.
private struct WatchedBackend: SecretBackend {
    let look: @Sendable (String) -> Void

    var kind: String { "watched/1" }
    var abilities: BackendAbilities { BackendAbilities(isRenewable: true, callStyle: .immediate, settleTime: .zero) }

    func path(for request: String) throws -> String { request }
    func prepare(_ request: String, _ call: BackendCall) throws -> TextHandle { TextHandle("made for \(call.id)") }
    func issue(_ request: String, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<Void> {
        look("making")
        return Issued(())
    }
    func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed { .until(call.expiresAt) }
    func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        look("ending")
        return .revoked
    }
}
