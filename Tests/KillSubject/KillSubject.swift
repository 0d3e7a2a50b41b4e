// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process that is there to be killed: it issues, renews and revokes for as long as it lives, and says what it was told.
///
///     KillSubject DATABASE DIRECTORY [STEP:COUNT]
@main
enum KillSubject {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else { return say("usage: KillSubject DATABASE DIRECTORY [STEP:COUNT]") }
        let steps = KillSteps(arguments.count > 3 ? arguments[3] : nil)
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
        let store = SQLiteLeaseStore(path: arguments[1], hooks: hooks, isInline: false)
        let backend = DirectoryBackend(directory: arguments[2], steps: steps)
        try await withLeaseManager(store: store) { manager in
            let limits = TTLLimits(ttl: .milliseconds(500), maximum: .seconds(2))
            let settings = MountSettings(
                limits: limits,
                issueTimeout: .milliseconds(500),
                renewTimeout: .milliseconds(500)
            )
            let mount = try await manager.mount(backend, at: "files", settings)
            say("ready")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for round in 0..<60 { try await live(round, mount) }
                    }
                }
                try await group.waitForAll()
            }
            say("done")
        }
    }

    /// One lease: issued, perhaps renewed, perhaps revoked, else left to run out.
    private static func live(_ round: Int, _ mount: Mount<Duration, String>) async throws {
        let lease = try await mount.issue(.zero, IssueOptions(ttl: .milliseconds(round % 3 == 0 ? 1_500 : 500)))
        say("issued \(lease.id) \(lease.secret) \(lease.expiresAt.nanosecondsSinceEpoch)")
        if round % 2 == 0 {
            let renewed = try await mount.renew(lease.id)
            say("renewed \(lease.id) \(renewed.expiresAt.nanosecondsSinceEpoch)")
        }
        if round % 4 < 3 {
            say("revoking \(lease.id)")
            _ = try await mount.revoke(lease.id)
        }
    }

    /// Says a line in one system call, so that it is said or not.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }
}
