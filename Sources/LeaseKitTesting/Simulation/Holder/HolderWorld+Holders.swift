// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Those who hold credentials: connections, scopes, pools.
extension HolderWorld {
    /// How often they look whether what they use still works.
    private static let tick = Duration.seconds(3)

    /// A connection: waits for a credential, takes it in hand, and uses it for a while.
    func use(_ number: Int, for length: Duration, validFor: Duration) async {
        let credential = credentials[number]
        let left = credential.current.map { $0.validUntil - now } ?? .zero
        if validFor > left { audit.demands.insert(roles[number]) }
        do {
            let secret = try await credential.get(validFor: validFor)
            if secret.validUntil - now < validFor { violate(2, "get(validFor:) answered with too little time") }
            let use = try credential.checkout(secret.generation)
            count("used")
            let deadline = now + length
            while now < deadline, !isCalm {
                try await time.sleep(for: min(Self.tick, length))
                // Whoever is told that it is over stops; so does who is told to finish, in its own time.
                if use.standing == .over { break }
                if try await isUsedInVain(secret.lease, secret.secret, roles[number]), use.standing != .over {
                    violate(1, "generation \(secret.generation) of \(roles[number]) is in use, and does not work")
                }
            }
            use.end()
        } catch {
            count("failed")
            if "\(error)".contains("pw~") { violate(0, "an error holds a password") }
        }
    }

    /// A scope with something that hangs on it.
    func scope(through link: Int, _ length: Duration, _ cancelAfter: Duration?) async {
        let held = Locked<LeaseID?>(nil)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await self.jobs[link].withLease("job") { job in
                        try await self.sources[link].withLease("scope", IssueOptions(parent: job.id)) { lease in
                            held.withLock { $0 = lease.id }
                            try await self.work(with: lease, for: length)
                        }
                    }
                }
                if let cancelAfter {
                    group.addTask {
                        try await self.time.sleep(for: cancelAfter)
                        throw CancellationError()
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
            count("scope ended")
        } catch is LeaseLost {
            count("scope lost")
        } catch {
            count("scope failed")
        }
        if let lease = held.withLock({ $0 }), !audit.unwanted.contains(lease) {
            violate(5, "a scope is over, and nobody asked for the end of its lease")
        }
    }

    /// What a scope is for: it goes on until it is done, or is told that its lease is lost.
    private func work(with lease: Lease<FakeCredential>, for length: Duration) async throws {
        let deadline = now + length
        while now < deadline, !isCalm {
            try await time.sleep(for: min(Self.tick, length))
            // A cancelled one would not come here.
            if try await isUsedInVain(lease.id, lease.secret, "scope") {
                violate(1, "a scope goes on, and its credential does not work")
            }
        }
    }

    /// Whether a credential is used that its broker or its target has ended, and whose user could know.
    private func isUsedInVain(_ lease: LeaseID, _ credential: FakeCredential, _ role: String) async throws -> Bool {
        guard await isGone(lease, credential), !isExcused(lease, credential, role) else { return false }
        // Whoever wakes at the very instant of the news, as everybody does when a machine wakes that has slept past the end,
        // may run before the news. What may not pass is time.
        try await time.sleep(for: .nanoseconds(1))
        let isStillGone = await isGone(lease, credential)
        return isStillGone && !isExcused(lease, credential, role)
    }

    private func isGone(_ lease: LeaseID, _ credential: FakeCredential) async -> Bool {
        if !target.check(credential) { return true }
        return await !isActive(lease)
    }

    /// Follows the generations of a credential, as a pool does.
    func follow(_ number: Int) async {
        var first: UInt64?
        for await secret in credentials[number].updates() {
            count("update")
            audit.handedOut.insert(secret.lease)
            var generation = secret.generation.rawValue
            if mutation == .replaysGenerations, let first, generation > first + 2 { generation = first }
            first = first ?? generation
            if generation <= newest[number] ?? 0 {
                violate(8, "generation #\(generation) came after #\(newest[number] ?? 0)")
            }
            newest[number] = generation
        }
    }
}
