// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import LeaseKitSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A process that is there to be killed: eight callers issue, renew and revoke database users for as long as it lives, and it
/// says what it was told.
///
///     PostgresVictim DATABASE PORT GROUP
///
/// The superuser's password comes as the first line of its input.
@main
enum PostgresVictim {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let port = Int(arguments[2]), let password = readLine() else {
            return say("usage: PostgresVictim DATABASE PORT GROUP, and a password")
        }
        let secret = SecretText(password)
        let configuration = PostgresConfiguration(
            hosts: [PostgresConfiguration.Host("127.0.0.1", port: port)],
            tls: .disabled,
            maxConnections: 8
        ) { PostgresConfiguration.Login(user: "postgres", password: secret) }
        let backend = try PostgresBackend(
            client: LibPQClient(configuration),
            roles: ["app": PostgresRole(.memberOf(arguments[3]), iterations: 1)]
        )
        let store = SQLiteLeaseStore(path: arguments[1])
        try await withLeaseManager(store: store) { manager in
            let settings = MountSettings(
                limits: TTLLimits(ttl: .milliseconds(500), maximum: .seconds(10)),
                issueTimeout: .milliseconds(500),
                renewTimeout: .milliseconds(500),
                probeInterval: .milliseconds(100)
            )
            let mount = try await manager.mount(backend, at: "db", settings)
            say("ready")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<8 {
                    group.addTask { for round in 0..<400 { await live(caller + round, mount) } }
                }
                try await group.waitForAll()
            }
            say("done")
        }
    }

    /// One lease: issued, perhaps renewed, perhaps revoked, else left to run out.
    ///
    /// A machine that is busy may miss a deadline of half a second; the next one then.
    private static func live(_ round: Int, _ mount: Mount<PostgresRequest, PostgresCredential>) async {
        do {
            let ttl = Duration.milliseconds(round % 3 == 0 ? 5_000 : 500)
            let lease = try await mount.issue("app", IssueOptions(ttl: ttl))
            let password = lease.secret.password.withText { $0 }
            say("issued \(lease.id) \(lease.secret.username) \(password) \(lease.expiresAt.nanosecondsSinceEpoch)")
            if round % 2 == 0 { _ = try await mount.renew(lease.id) }
            if round % 4 < 2 {
                say("revoking \(lease.id)")
                _ = try await mount.revoke(lease.id)
            }
        } catch {
            say("trouble \(type(of: error))")
            // A busy machine may take longer than half a second to connect: the target counts as down for a moment.
            let time = SystemTime()
            try? await time.sleep(until: time.read().continuous + .milliseconds(50))
        }
    }

    /// Says a line in one system call, so that it is said or not.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }
}
