// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// What came of a run.
struct Tally: Sendable {
    var queries = 0
    var failed = 0
    var mostLive = 0
    var rotations = 0
    var leftAtTheEnd = 0
}

/// Sixteen workers query without pause through a hundred rotations, in virtual time, on a credential that runs for a minute.
func measure(
    _ name: String,
    outage: Bool = false,
    _ makePool:
        @escaping @Sendable (
            InMemoryDatabase, Mount<InMemoryRequest, FakeCredential>, RenewalScheduler, VirtualTime
        ) async throws -> any Pool
) throws {
    let time = VirtualTime()
    let executor = SeededExecutor(seed: 1, time: time)
    let target = InMemoryTarget(time: time)
    let minute = InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(60)))
    let backend = InMemoryBackend(target: target, time: time, roles: ["app": minute], entropy: .seeded(1))
    let configuration = LeaseManager.Configuration(entropy: .seeded(2), executor: executor)
    let settings = RenewalScheduler.Configuration(entropy: .seeded(3), executor: executor)
    let scheduler = RenewalScheduler(configuration: settings, time: time)

    let tally = try executor.drive(timeLimit: .seconds(86_400)) {
        try await withLeaseManager(configuration: configuration, time: time) { manager in
            let mount = try await manager.mount(backend, at: "database")
            return try await withThrowingTaskGroup(of: Void.self, returning: Tally.self) { services in
                services.addTask { try await scheduler.run() }
                let pool = try await makePool(InMemoryDatabase(target: target, time: time), mount, scheduler, time)
                var tally = try await work(on: pool, target, time, outage: outage)
                scheduler.beginShutdown()
                try await services.waitForAll()
                tally.rotations = max(0, target.arrivals(of: .issue) - 1)
                _ = try await manager.revoke(.mount(mount.id))
                tally.leftAtTheEnd = target.liveCredentials.count
                return tally
            }
        }
    }
    print(
        "\(name): \(tally.queries) queries, \(tally.failed) failed, \(tally.rotations) rotations, "
            + "at most \(tally.mostLive) users at once, \(tally.leftAtTheEnd) left at the end"
    )
}

/// Lets the workers work for as long as a hundred rotations take.
func work(on pool: any Pool, _ target: InMemoryTarget, _ time: VirtualTime, outage: Bool) async throws -> Tally {
    try await withThrowingTaskGroup(of: Tally.self) { group in
        group.addTask {
            try? await pool.run()
            return Tally()
        }
        let end = time.read().continuous + .seconds(4_200)
        for worker in 0..<16 {
            group.addTask {
                var random = SeededGenerator(seed: UInt64(worker + 1))
                var tally = Tally()
                while time.read().continuous < end {
                    // Mostly short, sometimes a report.
                    let length: Duration =
                        random.chance(0.01) ? .seconds(8) : .milliseconds(50 + random.index(below: 900))
                    do { try await pool.query(taking: length) } catch {
                        tally.failed += 1
                        try await time.sleep(for: .milliseconds(50))
                    }
                    tally.queries += 1
                    tally.mostLive = max(tally.mostLive, target.liveCredentials.count)
                }
                return tally
            }
        }
        if outage {
            group.addTask {
                // Nobody can make or end users for a quarter of each lease's life, again and again.
                while time.read().continuous < end {
                    try? await time.sleep(for: .seconds(300))
                    target.partition(.silent)
                    try? await time.sleep(for: .seconds(12))
                    target.heal()
                }
                return Tally()
            }
        }
        var sum = Tally()
        for _ in 0..<(outage ? 17 : 16) {
            guard let one = try await group.next() else { break }
            sum.queries += one.queries
            sum.failed += one.failed
            sum.mostLive = max(sum.mostLive, one.mostLive)
        }
        group.cancelAll()
        return sum
    }
}

let rotating:
    @Sendable (InMemoryDatabase, Mount<InMemoryRequest, FakeCredential>, RenewalScheduler, VirtualTime) async throws ->
        any Pool = {
            database,
            mount,
            scheduler,
            _ in
            let credential = RotatingCredential("app", through: LeaseRoute(mount), on: scheduler) { secret in
                _ = try await database.connect(secret)
            }
            return RotatingPool(database, credential)
        }
try measure("LeaseKit", rotating)
try measure("LeaseKit, with outages of the broker", outage: true, rotating)
for pattern in NaivePool.Pattern.allCases {
    try measure("naive: \(pattern.rawValue)") { database, mount, _, time in
        try await NaivePool(pattern, database, mount, time)
    }
}
