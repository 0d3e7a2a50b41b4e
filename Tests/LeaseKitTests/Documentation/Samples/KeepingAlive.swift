// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

private func tryToConnect(_ credential: FakeCredential) async throws {}
private func connect(_ credential: FakeCredential) async throws {}

/// Samples about renewal and rotation.
@Suite struct KeepingAliveSamples {
    /// Runs `body` with a running manager and its mount, in virtual time.
    private func withDatabase(
        _ body:
            @Sendable @escaping (
                LeaseManager, Mount<InMemoryRequest, FakeCredential>, RenewalScheduler, InMemoryTarget, VirtualTime
            ) async throws -> Void
    ) throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 1, time: time)
        let target = InMemoryTarget(time: time)
        let backend = InMemoryBackend(
            target: target,
            time: time,
            roles: ["app": InMemoryRole(limits: TTLLimits(ttl: .seconds(900), maximum: .seconds(3_600)))]
        )
        let configuration = LeaseManager.Configuration(entropy: .seeded(1), executor: executor)
        let scheduler = RenewalScheduler(
            configuration: RenewalScheduler.Configuration(entropy: .seeded(2), executor: executor),
            time: time
        )
        try executor.drive {
            try await withLeaseManager(configuration: configuration, time: time) { manager in
                try await body(manager, try await manager.mount(backend, at: "database"), scheduler, target, time)
            }
        }
    }

    @Test func scope() throws {
        try withDatabase { _, database, _, target, time in
            @Sendable func copyTheTable(_ secret: FakeCredential) async throws {
                try await time.sleep(for: .seconds(1_800))
            }
            // sample: scope-renewed
            do {
                try await database.withLease("app") { lease in
                    // However long this takes, up to the role's maximum.
                    try await copyTheTable(lease.secret)
                }
            } catch let error as LeaseLost {
                print(error.reason)  // it was revoked
            }
            // end sample
            #expect(target.liveCredentials.isEmpty && target.arrivals(of: .renew) > 1)
        }
    }

    @Test func scheduler() throws {
        try withDatabase { _, database, scheduler, target, _ in
            // sample: scheduler-comment
            let route = LeaseRoute(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                let lease = try await database.issue("app")
                let kept = scheduler.keep(lease, through: route) { news in print(news) }
                // …
                kept.release()
                scheduler.beginShutdown()
                try await group.waitForAll()
            }
            // end sample
            #expect(target.liveCredentials.count == 1)
        }
    }

    @Test func failover() throws {
        try withDatabase { _, database, _, _, _ in
            let standby = database
            // sample: failover
            let policy = RenewalPolicy(failoverAfter: 3)
            let route = LeaseRoute(database, then: [standby], sharesLeases: true, policy: policy)
            // end sample
            #expect(route.sources.count == 2)
        }
    }

    @Test func rotating() throws {
        try withDatabase { _, database, scheduler, target, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                // sample: rotating-comment
                let credential = RotatingCredential("app", through: LeaseRoute(database), on: scheduler) { secret in
                    try await tryToConnect(secret)
                }
                let secret = try await credential.get()
                let use = try credential.checkout(secret.generation)
                try await connect(secret.secret)
                use.end()
                // end sample
                // sample: credential-health
                switch credential.health {
                case .healthy: print("well")
                case .degraded(let remaining): print("not renewed, \(LeaseDuration.text(of: remaining)) left")
                case .lost: print("nothing valid is held")
                }
                // end sample
                #expect(target.liveCredentials.count == 1)
                // sample: credential-close
                await credential.close(within: .seconds(5))
                // end sample
                #expect(target.liveCredentials.isEmpty)
                scheduler.beginShutdown()
                try await group.waitForAll()
            }
        }
    }

    @Test func study() throws {
        // sample: outage-study
        let result = try OutageStudy(outage: .seconds(600), trials: 100).run()
        print("\(result.lost) lost, \(result.meanAttempts) attempts")
        // end sample
        #expect(result.lost == 0)
    }

    @Test func shutdown() throws {
        try withDatabase { manager, _, scheduler, target, _ in
            // sample: shutdown-order
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                // … serve requests …
                scheduler.beginShutdown()
                // Everything that rotates has been given back when this returns; only then the manager may go.
                try await group.waitForAll()
            }
            manager.beginShutdown()
            // end sample
            #expect(target.liveCredentials.isEmpty)
        }
    }
}
