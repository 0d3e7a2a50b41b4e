// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct TestingSamples {
    // sample: test-virtual
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func aLeaseEndsInTime(seed: UInt64) throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: seed, time: time)
        let target = InMemoryTarget(time: time)
        let backend = InMemoryBackend(target: target, time: time, entropy: .seeded(seed))
        let configuration = LeaseManager.Configuration(
            deployment: "test",
            entropy: .seeded(seed),
            executor: executor
        )
        try executor.drive {
            try await withLeaseManager(configuration: configuration, time: time) { manager in
                let database = try await manager.mount(backend, at: "database")
                let lease = try await database.issue("app", IssueOptions(ttl: .seconds(3600)))
                #expect(target.check(lease.secret))
                try await time.sleep(for: .seconds(3660))
                #expect(!target.check(lease.secret))
            }
        }
    }
    // end sample

    @Test func faults() throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 1, time: time)
        let target = InMemoryTarget(time: time)
        let backend = InMemoryBackend(target: target, time: time, entropy: .seeded(1))
        let configuration = LeaseManager.Configuration(entropy: .seeded(1), executor: executor)
        try executor.drive {
            try await withLeaseManager(configuration: configuration, time: time) { manager in
                let database = try await manager.mount(backend, at: "database")
                // sample: test-faults
                // The credential is made and the answer is lost: the caller gets an error, and nothing stays behind.
                target.script(.issue, .loseReply)
                await #expect(throws: LeaseError.self) { _ = try await database.issue("app") }
                try await time.sleep(for: .seconds(600))
                #expect(target.liveCredentials.isEmpty)

                // The target goes down while a lease is revoked, and comes back.
                let lease = try await database.issue("app")
                target.partition(.silent)
                let report = try await database.revoke(lease.id, RevokeOptions(wait: .seconds(60)))
                #expect(report.stillTried == 1)
                target.heal()
                #expect(try await manager.waitForReport(of: report.order).isComplete)
                // end sample
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func byHand() async throws {
        // sample: test-by-hand
        let time = VirtualTime()
        async let greeting: Void = time.sleep(for: .seconds(60))
        // Wait until the subject has armed its timer, then move the time: nothing is left to chance.
        try await time.waitUntilArmed(within: .seconds(60))
        await time.advance(by: .seconds(60))
        try await greeting
        // end sample
    }

    @Test func fake() async throws {
        let source = FixedSource()
        let result = try await source.withLease("app") { lease in lease.path }
        #expect(result == "fake/app")
    }
}

// sample: test-fake
/// Hands out the same secret again and again, and knows no target.
struct FixedSource: LeaseSource {
    let time: any LeaseTime = SystemTime()

    func issue(_ role: String, _ options: IssueOptions) async throws -> Lease<SecretText> {
        let reading = time.read()
        let terms = try TTLPolicy().decide(TTLRequest(now: reading.wall, increment: options.ttl))
        return Lease(
            id: .random(),
            path: "fake/\(role)",
            secret: SecretText("test"),
            issuedAt: reading.wall,
            expiresAt: terms.expiresAt,
            validUntil: reading.continuous + terms.ttl,
            isRenewable: false,
            terms: terms
        )
    }

    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        throw LeaseError(.notRenewable, "the fake issues leases that cannot be renewed", lease: id)
    }

    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        RevocationReport(order: RevocationOrderID(rawValue: 1), revoked: 1)
    }
}
// end sample
