// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

/// Whoever calls from an actor is on it again afterwards; it takes a release build to show that it is not so.
@Suite("The actor of a caller")
@MainActor
struct CallersActorTests {
    @Test("is the same before and after each call to the store")
    func store() async throws {
        let directory = try TemporaryDirectory()
        let store = SQLiteLeaseStore(path: directory.file())
        let opening = try await store.open(at: SystemTime().read())
        MainActor.preconditionIsolated("open")
        let context = StoreBench.context(opening)
        let mount = try await store.register(path: "db", kind: "test", context).value.id
        MainActor.preconditionIsolated("register")
        _ = try await store.apply([.insert(StoreBench.insertion(1, of: mount))], context)
        MainActor.preconditionIsolated("apply")
        #expect(try await store.counts(.all).value.total == 1)
        MainActor.preconditionIsolated("counts")
        try await store.backup(to: directory.file("copy"))
        MainActor.preconditionIsolated("backup")
        await store.close(opening.incarnation)
        MainActor.preconditionIsolated("close")
    }

    @Test("is the same before and after each call to a manager over the store")
    func manager() async throws {
        let directory = try TemporaryDirectory()
        try await withLeaseManager(store: SQLiteLeaseStore(path: directory.file())) { manager in
            let mount = try await manager.mountSessions(at: "sessions")
            MainActor.preconditionIsolated("mount")
            let lease = try await mount.issue("anna")
            MainActor.preconditionIsolated("issue")
            #expect(try await mount.revoke(lease.id).revoked == 1)
            MainActor.preconditionIsolated("revoke")
        }
        MainActor.preconditionIsolated("the end")
    }
}
