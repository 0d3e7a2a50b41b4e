// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Everything that a run is made of: three machines, with the holders on one, the broker on another, and the target.
///
/// Unchecked, because a run has one thread: the one that drives its executor.
final class HolderWorld: @unchecked Sendable {
    var random: SeededGenerator
    let executor: SeededExecutor
    /// The holder's machine.
    let time = VirtualTime(name: "holder")
    let brokerTime: VirtualTime
    let target: InMemoryTarget
    let manager: LeaseManager
    let backend: InMemoryBackend
    let scheduler: RenewalScheduler
    let log = RecordingObserver()
    let links: [RemoteLink]
    let mutation: HolderMutation?
    private(set) lazy var audit = HolderAudit(self)

    var sources: [MutantSource<InMemoryRequest, FakeCredential>] = []
    var jobs: [MutantSource<String, Void>] = []
    var credentials: [RotatingCredential<FakeCredential>] = []
    let roles = ["first", "second", "third"]
    /// How long a lease of each role runs.
    var lengths: [String: Duration] = [:]

    /// When credentials were taken away at the target, of which nobody is told.
    var droppedAt: [LeaseID: Duration] = [:]
    /// When others ended or shortened leases at the broker, of which their holders are told when the link carries it.
    var changedAt: [LeaseID: Duration] = [:]
    /// Since when the holder's machine has been awake.
    var awakeSince = Duration.zero
    /// Jobs with everything below them, and whether their end was reported complete.
    var trees: [LeaseID: Tree] = [:]
    var orders: [RevocationOrderID] = []
    var newest: [Int: UInt64] = [:]
    /// Whether faults and new demands are over.
    var isCalm = false
    var violations: [HolderSimulation.Violation] = []
    var counts: [String: Int] = [:]

    struct Tree {
        var children: [FakeCredential] = []
        var isReportedComplete = false
    }

    init(seed: UInt64, mutation: HolderMutation?) {
        var random = SeededGenerator(seed: seed)
        self.mutation = mutation
        executor = SeededExecutor(seed: random.next(), time: time, maximumPicks: 20_000_000)
        brokerTime = VirtualTime(sharing: time, wallOffset: random.duration(upTo: .seconds(60)), name: "broker")
        let targetTime = VirtualTime(sharing: time, name: "target")
        targetTime.drift(partsPerMillion: random.index(below: 400) - 200)
        target = InMemoryTarget(time: targetTime, seed: random.next())
        var table: [String: InMemoryRole] = [:]
        for name in roles + ["scope"] {
            let ttl = Duration.seconds(60 + random.index(below: 900))
            lengths[name] = ttl
            table[name] = InMemoryRole(limits: TTLLimits(ttl: ttl, maximum: ttl * (1 + random.index(below: 5))))
        }
        var abilities = BackendAbilities(isRenewable: true, endsByItself: true)
        abilities.settleTime = .seconds(20)
        backend = InMemoryBackend(
            target: target,
            time: brokerTime,
            roles: table,
            abilities: abilities,
            entropy: .seeded(random.next())
        )
        var configuration = LeaseManager.Configuration(entropy: .seeded(random.next()))
        configuration.executor = executor
        configuration.observers = [MutantObserver(observer: log, mutation: mutation)]
        manager = LeaseManager(
            store: InMemoryLeaseStore(deployment: "holder", simulatedDurability: true),
            configuration: configuration,
            time: brokerTime
        )
        var settings = RenewalScheduler.Configuration(entropy: .seeded(random.next()))
        settings.executor = executor
        scheduler = RenewalScheduler(configuration: settings, time: time)
        let time = time
        links = (0..<2).map { _ in RemoteLink(time: time) }
        self.random = random
        target.setLatestApplication(.seconds(20))
    }

    /// What the holder's continuous clock shows.
    var now: Duration { time.read().continuous }

    /// The time by which the broker's leases run: wherever its wall clock is set to, they run on elapsed time.
    var brokerNow: LeaseInstant { brokerStart + brokerTime.read().continuous }
    private lazy var brokerStart = brokerTime.read().wall

    func count(_ what: String) { counts[what, default: 0] += 1 }

    func violate(_ invariant: Int, _ message: String) {
        guard violations.count < 5 else { return }
        violations.append(HolderSimulation.Violation(invariant: invariant, at: now, message: message))
    }

    func live(_ operations: Int) async throws {
        _ = brokerNow
        try await withThrowingTaskGroup(of: Void.self) { services in
            services.addTask { try await self.manager.run() }
            let mount = try await manager.mount(backend, at: "database")
            let sessions = try await manager.mountSessions(at: "sessions")
            for link in links {
                let (database, job) = (
                    RemoteSource(mount, through: link, broker: brokerTime, audit),
                    RemoteSource(sessions, through: link, broker: brokerTime, audit)
                )
                sources.append(MutantSource(database, mutation))
                jobs.append(MutantSource(job, mutation))
            }
            try await withThrowingTaskGroup(of: Void.self) { holders in
                holders.addTask { try await self.scheduler.run() }
                makeCredentials()
                await hold(operations)
                scheduler.beginShutdown()
                try await holders.waitForAll()
            }
            if violations.isEmpty { await checkNothingIsLeft() }
            manager.beginShutdown()
            try await services.waitForAll()
        }
    }

    /// Uses the credentials for a while, then lets everything come right, and gives them back.
    private func hold(_ operations: Int) async {
        await withDiscardingTaskGroup { group in
            for number in credentials.indices { group.addTask { await self.follow(number) } }
            for _ in 0..<operations where violations.isEmpty {
                await operate(&group)
                await time.advance(by: someWhile())
                await check()
            }
            isCalm = true
            target.stopFaults()
            for link in links { link.stopFaults() }
            // Longer than any lease: of what was dropped at the target nobody hears before its renewal, or its end.
            for _ in 0..<100 where violations.isEmpty {
                await time.advance(by: .seconds(10))
                await check()
            }
            if violations.isEmpty { await checkConvergence() }
            for credential in credentials { await credential.close() }
            group.cancelAll()
        }
    }

    private func makeCredentials() {
        let route = LeaseRoute<InMemoryRequest, FakeCredential>(sources[0], then: [sources[1]])
        for role in roles {
            let policy = RotationPolicy(grace: .seconds(5 + random.index(below: 60)))
            credentials.append(
                RotatingCredential(
                    InMemoryRequest(role: role),
                    through: route,
                    on: scheduler,
                    policy: policy
                ) { secret in
                    let isUnlucky = !self.isCalm && self.random.chance(0.1)
                    if isUnlucky || !self.target.check(secret) { throw BackendFailure(.denied, "it does not work") }
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
