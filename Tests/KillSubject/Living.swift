// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

/// A life that issues, renews and revokes, and says what it was told.
struct Living {
    private let store: SQLiteLeaseStore
    private let backend: SocketBackend

    init(_ database: String, _ socket: String, _ steps: KillSteps) {
        let hooks = CommitHooks(
            before: {
                steps.reach(.beforeCommit)
                return nil
            },
            after: {
                steps.reach(.afterCommit)
                return nil
            }
        )
        store = SQLiteLeaseStore(path: database, hooks: hooks, isInline: false)
        backend = SocketBackend(TargetClient(path: socket), steps: steps)
    }

    func live() async throws {
        try await withLeaseManager(store: store) { manager in
            let mount = try await manager.mount(backend, at: "files", Self.settings)
            say("ready")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for round in 0..<60 { try await Self.live(round, mount) }
                    }
                }
                try await group.waitForAll()
            }
            say("done")
        }
    }

    private static var settings: MountSettings {
        MountSettings(
            limits: TTLLimits(ttl: .milliseconds(500), maximum: .seconds(2)),
            issueTimeout: .milliseconds(300),
            renewTimeout: .milliseconds(300)
        )
    }

    /// One lease: issued, perhaps renewed, perhaps revoked, else left to run out.
    private static func live(_ round: Int, _ mount: Mount<Duration, String>) async throws {
        let ttl = Duration.milliseconds(round % 3 == 0 ? 1_500 : 500)
        // On a busy machine the target may be too slow for its deadline; that is no news here.
        guard let lease = try? await mount.issue(.zero, IssueOptions(ttl: ttl)) else { return }
        say("issued \(lease.id) \(lease.secret) \(lease.expiresAt.nanosecondsSinceEpoch)")
        if round % 2 == 0, let renewed = try? await mount.renew(lease.id) {
            say("renewed \(lease.id) \(renewed.expiresAt.nanosecondsSinceEpoch)")
        }
        if round % 4 < 3 {
            say("revoking \(lease.id)")
            _ = try? await mount.revoke(lease.id)
        }
    }
}
