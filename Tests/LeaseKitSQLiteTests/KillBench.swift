// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import KillSubject
import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One database, one target in a process of its own, and what the killed processes said.
final class KillBench {
    private let directory: TemporaryDirectory
    private let server: ChildProcess
    private let target: TargetClient
    private let time = SystemTime()
    private var random: SeededGenerator
    /// What was handed out and has not ended yet, as a process reported it.
    private var leases: [String: Reported] = [:]
    /// Every secret that the target ever had, whether anybody was told of it or not.
    private var secrets: [String] = []
    private(set) var kills = 0
    private var orphans = 0
    private var lost = 0
    private var early = 0
    private var unfinished = 0

    private struct Reported {
        var secret: String
        var expiresAt: Int64
        var isRevoking = false
    }

    init(seed: UInt64) throws {
        directory = try TemporaryDirectory()
        random = SeededGenerator(seed: seed)
        server = try ChildProcess("KillSubject", ["serve", directory.file("target"), "\(random.next())"])
        try #require(server.line() == "ready")
        target = TargetClient(path: directory.file("target"))
    }

    deinit {
        server.kill()
        _ = server.waitForEnd()
    }

    /// Starts a process, lets it die at a step or at a random moment, and looks at what it left.
    func live(killedAt step: String?) async throws {
        let arguments = ["live", directory.file(), target.path] + (step.map { [$0] } ?? [])
        let child = try ChildProcess("KillSubject", arguments)
        if step == nil {
            // Some die before they have opened their file; most while they are at work.
            if !random.chance(0.1) { while let line = child.line(), line != "ready" { note(line) } }
            let moment = time.read().continuous + random.duration(upTo: .milliseconds(60))
            while let left = milliseconds(until: moment), child.waitForOutput(milliseconds: left),
                let line = child.line()
            {
                note(line)
            }
        } else {
            while child.waitForOutput(milliseconds: 20_000), let line = child.line(), line != "done" { note(line) }
        }
        if random.chance(0.2) { try expectNoSecret("while it runs") }
        child.kill()
        while let line = child.line() { note(line) }
        if child.waitForEnd() { kills += 1 }
        try hear()
        try expectNoSecret("after it was killed")
        try await recover()
    }

    private func milliseconds(until moment: Duration) -> Int32? {
        let left = moment - time.read().continuous
        return left > .zero ? Int32(left / .milliseconds(1)) : nil
    }

    private func note(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("issued", 4): leases[words[1]] = Reported(secret: words[2], expiresAt: Int64(words[3]) ?? 0)
        case ("renewed", 3): leases[words[1]]?.expiresAt = Int64(words[2]) ?? 0
        case ("revoking", 2): leases[words[1]]?.isRevoking = true
        default: break
        }
    }

    /// Hears what happened at the target: nothing that was handed out ends before its time, unless somebody asked for it.
    private func hear() throws {
        for event in try target.ask("story") {
            let words = event.split(separator: " ").map(String.init)
            guard words.count == 3 else { continue }
            if words[0] == "made" {
                secrets.append(words[2])
            } else if let lease = leases.removeValue(forKey: words[1]), !lease.isRevoking,
                Int64(words[2]) ?? 0 < lease.expiresAt
            {
                early += 1
            }
        }
    }

    // MARK: - A new manager on the same file

    private func recover(untilEmpty: Bool = false) async throws {
        let store = SQLiteLeaseStore(path: directory.file())
        try await withLeaseManager(store: store) { manager in
            _ = try await manager.mount(SocketBackend(target), at: "files")
            try await checkReported(manager)
            let deadline = time.read().continuous + .seconds(20)
            while try await !isSettled(store, untilEmpty) {
                if time.read().continuous > deadline {
                    unfinished += 1
                    break
                }
                // Real processes and a real clock: there is nothing to wait for but time.
                try await time.sleep(until: time.read().continuous + .milliseconds(5))
            }
            try hear()
            try await checkReported(manager)
        }
    }

    /// Every lease that was reported as issued is known, and works until its time.
    private func checkReported(_ manager: LeaseManager) async throws {
        for (id, lease) in leases where !lease.isRevoking {
            let record = try await LeaseID(id).flatMapAsync { try await manager.lease($0) }
            let works = try target.ask("works \(id) \(lease.secret)") == ["yes"]
            // Only now, so that a lease that ends between two looks is not missed.
            if time.read().wall.nanosecondsSinceEpoch >= lease.expiresAt { continue }
            if record?.state != .active { lost += 1 }
            if !works { early += 1 }
        }
    }

    /// Whether every credential at the target has a live lease, and every lease is active or gone.
    private func isSettled(_ store: SQLiteLeaseStore, _ untilEmpty: Bool) async throws -> Bool {
        let counts = try await store.counts(.all).value
        let names = try target.ask("names")
        if untilEmpty { return names.isEmpty && counts.total == 0 }
        if counts.total != counts[.active] { return false }
        let records = try await store.find(names.compactMap { LeaseID($0) }).value
        let now = time.read().wall
        for (name, record) in zip(names, records) {
            guard let record else {
                // Ended between the two looks, or an orphan.
                if try target.ask("names").contains(name) { orphans += 1 }
                continue
            }
            if record.state != .active || record.expiresAt <= now { return false }
        }
        return true
    }

    // MARK: - No secret

    /// No file of the store has a secret, nor anything that looks like one.
    private func expectNoSecret(_ moment: String) throws {
        for name in directory.names where name != "target" {
            let bytes = TemporaryDirectory.read(directory.file(name))
            #expect(!bytes.contains("secret-"), "a secret in \(name) \(moment)")
        }
    }

    private func expectNoneOfTheSecrets() {
        for name in directory.names where name != "target" {
            let bytes = TemporaryDirectory.read(directory.file(name))
            for secret in secrets { #expect(!bytes.contains(String(secret.dropFirst(7))), "a secret in \(name)") }
        }
    }

    /// Waits until everything is over, and tells.
    func finish(_ what: String) async throws {
        expectNoneOfTheSecrets()
        try await recover(untilEmpty: true)
        let left = try target.ask("names").count
        print(
            "killed at \(what): \(kills) kills, \(secrets.count) credentials made, \(orphans + left) orphans, \(lost) leases lost, "
                + "\(early) ended before their time"
        )
        #expect(secrets.count > kills)
        #expect(orphans == 0)
        #expect(left == 0)
        #expect(lost == 0)
        #expect(early == 0)
        #expect(unfinished == 0, "recovery took longer than its bound")
        expectNoneOfTheSecrets()
    }
}

extension Optional {
    fileprivate func flatMapAsync<Value>(_ body: (Wrapped) async throws -> Value?) async rethrows -> Value? {
        if let self { try await body(self) } else { nil }
    }
}

extension [UInt8] {
    /// Whether a text is anywhere in the bytes.
    func contains(_ text: String) -> Bool {
        let word = [UInt8](text.utf8)
        return withUnsafeBytes { bytes in
            guard var next = bytes.baseAddress, let first = word.first else { return word.isEmpty }
            let end = next + bytes.count
            while next + word.count <= end, let found = memchr(next, Int32(first), end - next) {
                let start = UnsafeRawPointer(found)
                if start + word.count <= end && memcmp(start, word, word.count) == 0 { return true }
                next = start + 1
            }
            return false
        }
    }
}
