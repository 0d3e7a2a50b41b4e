// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres
import LeaseKitSQLite
import Testing

/// A broker is killed while eight callers issue: nothing that it made is ever lost track of.
@Suite(.serialized) struct PostgresKillTests {
    /// `LEASEKIT_SIM_SEED` draws the moments of another run once more; what the kernel does meanwhile is another matter.
    @Test(.timeLimit(.minutes(8)))
    func killedAtRandomMoments() async throws {
        let seed =
            ProcessInfo.processInfo.environment["LEASEKIT_SIM_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
        print("killed at the moments of LEASEKIT_SIM_SEED=\(seed)")
        let bench = try await KillBench(seed: seed)
        for _ in 0..<110 { try await bench.live() }
        try await bench.finish()
    }
}

/// Random numbers that a seed repeats.
private struct SeededMoments: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A server, a store, and what the killed processes said.
private final class KillBench {
    private let server: TestServer
    private let client: LibPQClient
    private let folder: URL
    private let time = SystemTime()
    private var leases: [String: Reported] = [:]
    private var passwords: Set<String> = []
    private var kills = 0
    private var tries = 0
    private var troubles = 0
    private var orphans: Set<String> = []
    private var lost: Set<String> = []
    private var moments: SeededMoments

    /// A lease as a process reported it.
    private struct Reported {
        let credential: PostgresCredential
        let expiresAt: LeaseInstant
        var isRevoking = false
    }

    init(seed: UInt64) async throws {
        moments = SeededMoments(state: seed)
        server = try await TestServer.make()
        client = LibPQClient(server.configuration(maxConnections: 2))
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("leasekit-\(LeaseID.random())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await server.sql("CREATE ROLE readers NOLOGIN")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private var file: String { folder.appendingPathComponent("leases.sqlite").path }

    /// Starts a process, lets it die at a random moment, and looks at what it left.
    func live() async throws {
        tries += 1
        let password = server.password
        let arguments = [file, "\(server.port)", "readers"]
        // Some die as they start, most while they are at it.
        let isEarly = tries % 10 == 0
        let death = Death(
            isEarly: isEarly,
            afterLines: Int.random(in: 1...60, using: &moments),
            patience: isEarly ? Int32.random(in: 0...60, using: &moments) : 10_000,
            pause: UInt32.random(in: 0...4_000, using: &moments)
        )
        let (said, wasKilled) = try await onOwnThread {
            Self.letDie(try VictimProcess("PostgresVictim", arguments, saying: password), death)
        }
        for line in said { note(line) }
        if wasKilled { kills += 1 }
        try await inspect()
    }

    /// When a process dies.
    private struct Death: Sendable {
        /// Before it is ready, or after it has said so many lines.
        let isEarly: Bool
        let afterLines: Int
        /// How many milliseconds its next line is waited for.
        let patience: Int32
        /// How many microseconds later, so that it is not in step with what it says.
        let pause: UInt32
    }

    /// Waits for the moment, which blocks; what it said, and whether it was killed indeed.
    private static func letDie(_ child: VictimProcess, _ death: Death) -> (said: [String], wasKilled: Bool) {
        var (said, left, isReady) = ([String](), death.afterLines, death.isEarly)
        while left > 0, child.waitForOutput(milliseconds: death.patience), let line = child.line() {
            said.append(line)
            if line == "ready" { isReady = true }
            if isReady { left -= 1 }
        }
        usleep(death.pause)
        child.kill()
        while let line = child.line() { said.append(line) }
        return (said, child.waitForEnd())
    }

    private func note(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "issued" where words.count == 5:
            leases[words[1]] = Reported(
                credential: PostgresCredential(username: words[2], password: SecretText(words[3])),
                expiresAt: LeaseInstant(nanosecondsSinceEpoch: Int64(words[4]) ?? 0)
            )
            passwords.insert(words[3])
        case "revoking" where words.count == 2: leases[words[1]]?.isRevoking = true
        case "trouble": troubles += 1
        default: break
        }
    }

    /// The roles of ours at the server, with the leases that their comments name.
    private func roles() async throws -> [LeaseID: String] {
        let question: PostgresStatement = """
            SELECT r.rolname, split_part(d.description, ' ', 3) FROM pg_shdescription d JOIN pg_roles r ON r.oid = d.objoid
            WHERE d.classoid = 'pg_authid'::regclass AND d.description LIKE 'leasekit/1 %'
            """
        var roles: [LeaseID: String] = [:]
        for row in try await client.run(question)[0].rows {
            if let name = row[0], let id = row[1].flatMap({ LeaseID($0) }) { roles[id] = name }
        }
        return roles
    }

    /// Every role has a lease, and every lease that was reported works until its time.
    private func inspect() async throws {
        let roles = try await roles()
        let store = SQLiteLeaseStore(path: file)
        let opening = try await store.open(at: time.read())
        let ids = Array(roles.keys)
        for (id, record) in zip(ids, try await store.find(ids).value) where record == nil { orphans.insert(id.text) }
        await store.close(opening.incarnation)
        var logins = 0
        for (id, lease) in leases {
            if lease.isRevoking || lease.expiresAt <= time.read().wall {
                leases[id] = nil
                continue
            }
            guard let key = LeaseID(id), roles[key] == lease.credential.username else {
                // Between the look at the server and now its time may have come; nobody ends it, but the test is slow.
                if lease.expiresAt > time.read().wall + .seconds(1) { lost.insert(id) }
                continue
            }
            // A login for some of them, as a holder would: they are what takes time.
            if logins < 2 {
                logins += 1
                let holder = LibPQClient(
                    server.configuration(
                        user: lease.credential.username,
                        password: lease.credential.password.withText { $0 },
                        maxConnections: 1
                    )
                )
                do { try await holder.run("SELECT 1") } catch { lost.insert(id) }
                await holder.close()
            }
        }
    }

    /// Lets one more manager clear everything up, and tells.
    func finish() async throws {
        let admin = LibPQClient(server.configuration())
        let backend = try PostgresBackend(
            client: admin,
            roles: ["app": PostgresRole(.memberOf("readers"), iterations: 1)]
        )
        let store = SQLiteLeaseStore(path: file)
        let deadline = time.read().continuous + .seconds(60)
        try await withLeaseManager(store: store) { manager in
            _ = try await manager.mount(backend, at: "db")
            // Real processes and a real clock: there is nothing to wait for but time.
            while try await manager.counts().total > 0, time.read().continuous < deadline {
                try await time.sleep(until: time.read().continuous + .milliseconds(20))
            }
            #expect(try await manager.counts().total == 0, "recovery took longer than its bound")
        }
        let left = try await roles().count
        print(
            "\(kills) kills of \(tries), \(passwords.count) credentials reported, \(troubles) troubles, \(orphans.count) orphans, "
                + "\(lost.count) lost, \(left) left"
        )
        #expect(kills >= 100)
        #expect(passwords.count > kills)
        #expect(orphans.isEmpty)
        #expect(lost.isEmpty)
        #expect(left == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let text = String(
                decoding: FileManager.default.contents(atPath: folder.appendingPathComponent(name).path) ?? Data(),
                as: UTF8.self
            )
            for password in passwords { #expect(!text.contains(password), "a password in \(name)") }
        }
        await admin.close()
        await client.close()
    }
}
