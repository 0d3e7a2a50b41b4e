// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import LeaseKitTesting
import Testing

/// A process dies at each of its requests to AWS, just before or just after; the next one leaves no user behind.
@Suite struct CrashMatrixTests {
    /// Every request of a process that issues twice, renews and revokes.
    static let requests = 21

    /// Lets a process live until it dies at a request, starts the next one, and says how many requests there were.
    private func live(dyingAt place: Int, done: Bool) throws -> Int {
        let world = World(seed: UInt64(place))
        let mortal = Mortal(world.aws, dyingAt: place, done: done)
        let store = InMemoryLeaseStore(deployment: "ours", simulatedDurability: true)
        let (first, second) = (world.time.process(named: "first"), world.time.process(named: "second"))
        let configuration = LeaseManager.Configuration(entropy: .seeded(9), executor: world.executor)
        let backends = (try world.users(mortal, time: first), try world.users(time: second))
        try world.drive {
            let manager = LeaseManager(store: store, configuration: configuration, time: first)
            let run = Task(executorPreference: world.executor) { try await manager.run() }
            let life = Task(executorPreference: world.executor) {
                defer { mortal.bury() }
                let mount = try await manager.mount(backends.0, at: "aws")
                let lease = try await mount.issue("full", IssueOptions(ttl: .seconds(600)))
                _ = try await mount.renew(lease.id)
                _ = try await mount.issue("app", IssueOptions(ttl: .seconds(600)))
                _ = try await mount.revoke(lease.id)
            }
            await mortal.waitForDeath()
            first.pause()

            let next = LeaseManager(store: store, configuration: configuration, time: second)
            let nextRun = Task(executorPreference: world.executor) { try await next.run() }
            _ = try await next.mount(backends.1, at: "aws")
            await world.time.advance(by: .seconds(7_200))
            let left = world.aws.users.keys.sorted()
            #expect(left.isEmpty, "died at request \(place), \(done ? "done" : "not done"): \(left)")
            nextRun.cancel()
            _ = await nextRun.result

            mortal.bury()
            first.resume()
            run.cancel()
            life.cancel()
            _ = await life.result
            _ = await run.result
        }
        return mortal.count
    }

    @Test(arguments: 1...requests, [false, true])
    func nothingIsLeft(place: Int, done: Bool) throws { _ = try live(dyingAt: place, done: done) }

    /// Otherwise the matrix would not be one.
    @Test func thereAreNoMoreRequestsThanTheMatrixHas() throws {
        #expect(try live(dyingAt: .max, done: false) == Self.requests)
    }
}
