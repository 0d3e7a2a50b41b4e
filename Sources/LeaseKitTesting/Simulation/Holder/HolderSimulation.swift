// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A service in virtual time with credentials that rotate, pools that use them, and scopes: random operations and faults from
/// a seed, checked after every step.
///
/// First everything goes wrong; then the faults stop, and within ten minutes of virtual time everything has to come right.
/// The manager's own invariants are the business of ``Simulation``; here they are those of who holds leases.
package struct HolderSimulation: Sendable {
    package var seed: UInt64
    package var operations: Int

    package init(seed: UInt64, operations: Int = 200) {
        self.seed = seed
        self.operations = operations
    }

    /// What was broken, if anything, and how often things happened.
    package struct Report: Sendable {
        package var violations: [String] = []
        package var counts: [String: Int] = [:]
        package var traceHash: UInt64 = 0
    }

    /// Runs to the end, or to the first thing that is broken.
    package func run() -> Report {
        let world = HolderWorld(seed: seed)
        let operations = operations
        do {
            try world.executor.drive(timeLimit: .seconds(86_400 * 5)) { try await world.live(operations) }
        } catch {
            world.violate("the run came to no end: \(error)")
        }
        return Report(violations: world.violations, counts: world.counts, traceHash: world.executor.traceHash)
    }
}

/// Everything that a run is made of.
///
/// Unchecked, because a run has one thread: the one that drives its executor.
final class HolderWorld: @unchecked Sendable {
    var random: SeededGenerator
    let executor: SeededExecutor
    let time = VirtualTime()
    let target: InMemoryTarget
    let manager: LeaseManager
    let backend: InMemoryBackend
    let scheduler: RenewalScheduler
    var mount: Mount<InMemoryRequest, FakeCredential>?
    var credentials: [RotatingCredential<FakeCredential>] = []
    /// Leases that somebody ended or dropped: their holders are told, which takes a moment.
    var disturbed: Set<LeaseID> = []
    var usersLeft = 0
    var newest: [Int: UInt64] = [:]
    var violations: [String] = []
    var counts: [String: Int] = [:]
    let roles = ["first", "second", "third"]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        executor = SeededExecutor(seed: random.next(), time: time, maximumPicks: 20_000_000)
        target = InMemoryTarget(time: time, seed: random.next())
        var table: [String: InMemoryRole] = [:]
        for name in roles + ["scope"] {
            let ttl = Duration.seconds(60 + random.index(below: 900))
            let limits = TTLLimits(ttl: ttl, maximum: ttl * (1 + random.index(below: 5)))
            table[name] = InMemoryRole(limits: limits)
        }
        var abilities = BackendAbilities(isRenewable: true, endsByItself: true)
        abilities.settleTime = .seconds(20)
        backend = InMemoryBackend(
            target: target,
            time: time,
            roles: table,
            abilities: abilities,
            entropy: .seeded(random.next())
        )
        var configuration = LeaseManager.Configuration(entropy: .seeded(random.next()))
        configuration.executor = executor
        manager = LeaseManager(
            store: InMemoryLeaseStore(deployment: "holder", simulatedDurability: true),
            configuration: configuration,
            time: time
        )
        var settings = RenewalScheduler.Configuration(entropy: .seeded(random.next()))
        settings.executor = executor
        scheduler = RenewalScheduler(configuration: settings, time: time)
        self.random = random
        target.setLatestApplication(.seconds(20))
    }

    func count(_ what: String) { counts[what, default: 0] += 1 }

    func violate(_ what: String) {
        if violations.count < 5 { violations.append("\(time.read().continuous): \(what)") }
    }

    func live(_ operations: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { services in
            services.addTask { try await self.manager.run() }
            let mount = try await manager.mount(backend, at: "database")
            self.mount = mount
            let sessions = try await manager.mountSessions(at: "sessions")
            try await withThrowingTaskGroup(of: Void.self) { holders in
                holders.addTask { try await self.scheduler.run() }
                makeCredentials(on: mount)
                await withDiscardingTaskGroup { group in
                    for number in credentials.indices { group.addTask { await self.follow(number) } }
                    for _ in 0..<operations where violations.isEmpty {
                        operate(&group, mount, sessions)
                        await time.advance(by: someWhile())
                        await check()
                    }
                    target.stopFaults()
                    // Users finish, and everything comes right.
                    for _ in 0..<60 where violations.isEmpty {
                        await time.advance(by: .seconds(10))
                        await check()
                    }
                    await checkConvergence()
                    for credential in credentials { await credential.close() }
                    group.cancelAll()
                }
                scheduler.beginShutdown()
                try await holders.waitForAll()
            }
            manager.beginShutdown()
            try await services.waitForAll()
        }
    }

    private func makeCredentials(on mount: Mount<InMemoryRequest, FakeCredential>) {
        let route = LeaseRoute<InMemoryRequest, FakeCredential>(mount)
        let target = target
        for role in roles {
            let policy = RotationPolicy(grace: .seconds(5 + random.index(below: 60)))
            credentials.append(
                RotatingCredential(
                    InMemoryRequest(role: role),
                    through: route,
                    on: scheduler,
                    policy: policy
                ) { secret in
                    if !target.check(secret) { throw BackendFailure(.denied, "it does not work") }
                }
            )
        }
    }

    private func someWhile() -> Duration {
        let roll = random.unit()
        if roll < 0.5 { return random.duration(upTo: .seconds(1)) }
        return roll < 0.9 ? random.duration(upTo: .seconds(30)) : random.duration(upTo: .seconds(600))
    }
}
