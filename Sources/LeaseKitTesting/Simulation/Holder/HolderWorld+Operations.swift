// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What happens in a holder's world.
extension HolderWorld {
    func operate(
        _ group: inout DiscardingTaskGroup,
        _ mount: Mount<InMemoryRequest, FakeCredential>,
        _ sessions: Mount<String, Void>
    ) {
        let number = random.index(below: credentials.count)
        let credential = credentials[number]
        switch random.index(below: 100) {
        case ..<40:
            let length = random.duration(upTo: .seconds(random.chance(0.8) ? 20 : 600))
            let need = random.chance(0.3) ? random.duration(upTo: .seconds(120)) : .zero
            group.addTask { await self.use(number, for: length, validFor: need) }
        case ..<52:
            let length = random.duration(upTo: .seconds(900))
            let cancelAfter = random.chance(0.3) ? random.duration(upTo: .seconds(300)) : nil
            group.addTask { await self.scope(mount, sessions, length, cancelAfter) }
        case ..<60:
            guard let current = credential.current else { return }
            count("rejected")
            credential.rejected(current.generation)
        case ..<66:
            guard let current = credential.current else { return }
            count("revoked by others")
            disturbed.insert(current.lease)
            group.addTask { _ = try? await self.manager.revoke(.lease(current.lease)) }
        case ..<70:
            guard let current = credential.current else { return }
            count("dropped")
            disturbed.insert(current.lease)
            target.drop(current.secret.username)
        case ..<78:
            count("partition")
            target.partition(TargetPartition.allCases[random.index(below: TargetPartition.allCases.count)])
        case ..<90: target.heal()
        case ..<94:
            count("faults")
            let operations: [TargetOperation] = [.issue, .renew, .revoke]
            let faults: [TargetFault] = [
                .failBefore(.transient), .failBefore(.denied), .failAfter, .loseReply, .lose, .delay(.seconds(12)),
                .slowReply(.seconds(3)), .late(.seconds(8)),
            ]
            for _ in 0..<3 {
                target.script(
                    operations[random.index(below: operations.count)],
                    faults[random.index(below: faults.count)]
                )
            }
        case ..<97:
            count("wall jump")
            // The manager is told that it was on purpose, so that it goes on to end by time.
            time.jumpWall(by: .seconds(random.index(below: 40) - 20))
        default:
            count("suspend")
            let length = random.duration(upTo: .seconds(400))
            group.addTask { await self.time.suspend(for: length) }
        }
    }

    /// A connection: waits for a credential, takes it in hand, and uses it for a while.
    func use(_ number: Int, for length: Duration, validFor: Duration) async {
        let credential = credentials[number]
        do {
            let secret = try await credential.get(validFor: validFor)
            let use = try credential.checkout(secret.generation)
            count("used")
            let deadline = time.read().continuous + length
            while time.read().continuous < deadline {
                // Whoever is told that it is over stops; so does who is told to finish, in its own time.
                if use.standing == .over { break }
                if !target.check(secret.secret), !isDisturbed(secret) {
                    violate(
                        "1: generation \(secret.generation) of \(roles[number]) is in use as \(use.standing), and its target does not take it"
                    )
                }
                try await time.sleep(for: min(.seconds(2), length))
            }
            use.end()
        } catch {
            count("failed")
            if "\(error)".contains("pw-") { violate("an error holds a password") }
        }
    }

    /// A scope with something that hangs on it.
    func scope(
        _ mount: Mount<InMemoryRequest, FakeCredential>,
        _ sessions: Mount<String, Void>,
        _ length: Duration,
        _ cancelAfter: Duration?
    ) async {
        let child = Locked<FakeCredential?>(nil)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await sessions.withLease("job") { job in
                        try await mount.withLease("scope", IssueOptions(parent: job.id)) { lease in
                            child.withLock { $0 = lease.secret }
                            if !self.target.check(lease.secret) {
                                self.violate("1: a scope began without a credential")
                            }
                            try await self.time.sleep(for: length)
                            if !self.target.check(lease.secret), !self.wasMovedLate(lease.secret) {
                                self.violate("1: a scope went on when its credential had gone")
                            }
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
    }

    /// Follows the generations of a credential, as a pool does.
    func follow(_ number: Int) async {
        for await secret in credentials[number].updates() {
            count("update")
            if secret.generation.rawValue <= newest[number] ?? 0 {
                violate("8: generation \(secret.generation) came after #\(newest[number] ?? 0)")
            }
            newest[number] = secret.generation.rawValue
        }
    }
}
