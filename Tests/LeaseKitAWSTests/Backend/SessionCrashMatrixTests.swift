// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import LeaseKitTesting
import Testing

/// A process dies at each of its requests for sessions and denials; what is revoked after that opens nothing.
@Suite struct SessionCrashMatrixTests {
    /// Every request of a process that issues two sessions and revokes them.
    static let requests = 7

    private func live(dyingAt place: Int, done: Bool) throws -> Int {
        let world = World(seed: UInt64(place))
        let mortal = Mortal(world.aws, dyingAt: place, done: done)
        let store = InMemoryLeaseStore(deployment: "ours", simulatedDurability: true)
        let (first, second) = (world.time.process(named: "first"), world.time.process(named: "second"))
        let configuration = LeaseManager.Configuration(entropy: .seeded(9), executor: world.executor)
        let backends = (
            try world.sessions(mortal, time: first, birth: 1), try world.sessions(time: second, birth: 2)
        )
        try world.drive {
            let manager = LeaseManager(store: store, configuration: configuration, time: first)
            let run = Task(executorPreference: world.executor) { try await manager.run() }
            let life = Task(executorPreference: world.executor) {
                defer { mortal.bury() }
                let mount = try await manager.mount(backends.0, at: "sts")
                let leases = [try await mount.issue("deploy"), try await mount.issue("deploy")]
                for lease in leases { _ = try await mount.revoke(lease.id) }
            }
            await mortal.waitForDeath()
            first.pause()

            let next = LeaseManager(store: store, configuration: configuration, time: second)
            let nextRun = Task(executorPreference: world.executor) { try await next.run() }
            _ = try await next.mount(backends.1, at: "sts")
            _ = try await next.revoke(.prefix("sts"))
            // Much less than the hour for which they were made.
            await world.time.advance(by: .seconds(600))
            let left = world.aws.change { $0.sessions.keys.sorted() }.filter { world.aws.isUsable($0) }
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
    func nothingIsUsable(place: Int, done: Bool) throws { _ = try live(dyingAt: place, done: done) }

    /// Otherwise the matrix would not be one.
    @Test func thereAreNoMoreRequestsThanTheMatrixHas() throws {
        #expect(try live(dyingAt: .max, done: false) == Self.requests)
    }
}
