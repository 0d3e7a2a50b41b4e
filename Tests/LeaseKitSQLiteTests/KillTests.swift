// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import KillSubject
import LeaseKit
import LeaseKitSQLite
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process is killed again and again; nothing that it made is ever lost track of.
@Suite("A process that is killed at any instant", .serialized)
struct KillTests {
    @Test("at every step boundary", .timeLimit(.minutes(10)))
    func atEveryStep() async throws {
        let bench = try KillBench()
        for count in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
            for step in KillSteps.Step.allCases {
                try await bench.live(killedAt: "\(step.rawValue):\(count)", after: nil)
            }
        }
        try await bench.finish("step boundaries")
    }

    @Test("at random moments", .timeLimit(.minutes(10)))
    func atRandomMoments() async throws {
        let bench = try KillBench()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<240 {
            try await bench.live(killedAt: nil, after: Int32(random.next() % 60))
        }
        try await bench.finish("random moments")
    }
}

/// One database, one target, and what the killed processes said.
final class KillBench {
    private let directory: TemporaryDirectory
    private let target: TemporaryDirectory
    private let time = SystemTime()
    private var leases: [String: Reported] = [:]
    private var secrets: Set<String> = []
    private var kills = 0
    private var orphans = 0
    private var lost = 0
    private var unfinished = 0

    /// A lease as a process reported it.
    private struct Reported {
        var secret: String
        var expiresAt: Int64
        var isRevoking = false
    }

    init() throws {
        directory = try TemporaryDirectory()
        target = try TemporaryDirectory()
    }

    /// Starts a process, lets it die, and looks at what it left.
    func live(killedAt step: String?, after milliseconds: Int32?) async throws {
        let child = try ChildProcess("KillSubject", [directory.file(), target.path] + (step.map { [$0] } ?? []))
        var limit = milliseconds
        while child.waitForOutput(milliseconds: limit ?? 5_000), let line = child.line() {
            note(line)
            if line == "done" { break }
            if let left = limit { limit = max(0, left - 1) }
        }
        child.kill()
        while let line = child.line() { note(line) }
        if child.waitForEnd() { kills += 1 }
        try await recover()
    }

    private func note(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "issued" where words.count == 4:
            leases[words[1]] = Reported(secret: words[2], expiresAt: Int64(words[3]) ?? 0)
            secrets.insert(words[2])
        case "renewed" where words.count == 3: leases[words[1]]?.expiresAt = Int64(words[2]) ?? 0
        case "revoking" where words.count == 2: leases[words[1]]?.isRevoking = true
        default: break
        }
    }

    // MARK: - A new manager on the same file

    private func recover(untilEmpty: Bool = false) async throws {
        let store = SQLiteLeaseStore(path: directory.file())
        try await withLeaseManager(store: store) { manager in
            _ = try await manager.mount(DirectoryBackend(directory: target.path), at: "files")
            checkReported()
            let deadline = time.read().continuous + .seconds(untilEmpty ? 10 : 4)
            while try await !isSettled(store, untilEmpty) {
                if time.read().continuous > deadline {
                    unfinished += 1
                    break
                }
                // Real processes and a real clock: there is nothing to wait for but time.
                try await time.sleep(until: time.read().continuous + .milliseconds(2))
            }
            checkReported()
        }
    }

    /// Every lease that was reported as issued works until its time.
    private func checkReported() {
        for (id, lease) in leases where !lease.isRevoking {
            let found = String(decoding: TemporaryDirectory.read("\(target.path)/\(id)"), as: UTF8.self)
            if time.read().wall.nanosecondsSinceEpoch >= lease.expiresAt {
                leases[id] = nil
            } else if found != lease.secret {
                lost += 1
            }
        }
    }

    /// Whether every credential at the target has a live lease.
    private func isSettled(_ store: SQLiteLeaseStore, _ untilEmpty: Bool) async throws -> Bool {
        let ids = target.names.filter { !$0.hasPrefix(".") }.compactMap { LeaseID($0) }
        if untilEmpty {
            let total = try await store.counts(.all).value.total
            return ids.isEmpty && total == 0
        }
        let records = try await store.find(ids).value
        let now = time.read().wall
        for (id, record) in zip(ids, records) {
            guard let record else {
                // Ended between the two looks, or an orphan.
                if access("\(target.path)/\(id)", F_OK) == 0 { orphans += 1 }
                continue
            }
            if record.state != .active || record.expiresAt <= now { return false }
        }
        return true
    }

    /// Waits until everything is over, and tells.
    func finish(_ what: String) async throws {
        try await recover(untilEmpty: true)
        let left = target.names.filter { !$0.hasPrefix(".") }.count
        print(
            "killed at \(what): \(kills) kills, \(secrets.count) credentials reported, \(orphans + left) orphans, \(lost) lost"
        )
        #expect(kills > 60)
        #expect(secrets.count > kills)
        #expect(orphans == 0)
        #expect(left == 0)
        #expect(lost == 0)
        #expect(unfinished == 0, "recovery took longer than its bound")
        for name in target.names { unlink("\(target.path)/\(name)") }
        for name in directory.names {
            let bytes = TemporaryDirectory.read(directory.file(name))
            #expect(!bytes.contains(sequence: "secret-"), "a secret in \(name)")
        }
    }
}

extension [UInt8] {
    /// Whether a text is anywhere in the bytes.
    func contains(sequence text: String) -> Bool {
        let word = Array(text.utf8)
        guard let first = word.first else { return true }
        var start = startIndex
        while let found = self[start...].firstIndex(of: first) {
            if self[found...].starts(with: word) { return true }
            start = found + 1
        }
        return false
    }
}
