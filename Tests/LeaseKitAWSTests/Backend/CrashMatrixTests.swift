// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import LeaseKitTesting
import Testing

/// A process dies at each of its requests to AWS, just before or just after; the next one leaves no user behind.
@Suite struct CrashMatrixTests {
    /// A transport of a process that dies at its `place`th request of those that change something or ask.
    private final class Mortal: AWSTransport {
        private struct State: Sendable {
            var count = 0
            var isDead = false
            var isBuried = false
            var stuck: [CheckedContinuation<Void, Never>] = []
            var waiters: [CheckedContinuation<Void, Never>] = []
        }

        let aws: FakeAWS
        let place: Int
        let isDone: Bool
        private let state = Locked(State())

        init(_ aws: FakeAWS, dyingAt place: Int, done isDone: Bool) {
            self.aws = aws
            self.place = place
            self.isDone = isDone
        }

        /// How many requests there were.
        var count: Int { state.withLock { $0.count } }

        func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
            let (dies, isDead) = state.withLock { state in
                state.count += 1
                if state.isDead { return (false, true) }
                if state.isBuried { return (false, true) }
                state.isDead = state.count == place
                return (state.isDead, state.isDead)
            }
            if dies, isDone { _ = try await aws.send(request, timeout: timeout) }
            guard isDead else { return try await aws.send(request, timeout: timeout) }
            if dies {
                let waiters = state.withLock { state in
                    defer { state.waiters = [] }
                    return state.waiters
                }
                for waiter in waiters { waiter.resume() }
            }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isBuried { state.stuck.append(continuation) }
                    return state.isBuried
                }
                if isOver { continuation.resume() }
            }
            throw .notSent("a dead process sends nothing")
        }

        /// Waits until the process has died, or came to its end without.
        func waitForDeath() async {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isDead || state.isBuried {
                        return true
                    }
                    state.waiters.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        }

        func bury() {
            let (stuck, waiters) = state.withLock { state in
                state.isBuried = true
                defer { (state.stuck, state.waiters) = ([], []) }
                return (state.stuck, state.waiters)
            }
            for continuation in stuck + waiters { continuation.resume() }
        }
    }

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
