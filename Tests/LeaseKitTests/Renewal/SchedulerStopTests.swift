// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// How a scheduler stops.
@Suite struct SchedulerStopTests {
    @Test func stoppingTakesAsLongAsGivingBackDoes() throws {
        try ManagerFixture.run { fixture in
            var began = Duration.zero
            try await fixture.holding { holder in
                _ = try await holder.credential().get()
                #expect(fixture.target.liveCredentials.count == 1)
                began = holder.clock
            }
            #expect(fixture.target.liveCredentials.isEmpty)
            let took = fixture.time.read().continuous - began
            #expect(took < .seconds(1), "it waited for the end of its budget: \(took)")
        }
    }

    /// Whoever closes after the scheduler has stopped finds nothing left to do.
    @Test func aCredentialIsClosedAfterItsSchedulerHasStopped() throws {
        try ManagerFixture.run { fixture in
            let kept = Locked<RotatingCredential<FakeCredential>?>(nil)
            try await fixture.holding { holder in
                let credential = holder.credential()
                _ = try await credential.get()
                kept.withLock { $0 = credential }
            }
            let credential = try #require(kept.withLock { $0 })
            let began = fixture.time.read().continuous
            await credential.close()
            await credential.close()
            #expect(fixture.time.read().continuous == began)
            #expect(credential.current == nil && credential.health == .lost)
        }
    }

    /// What was closed before anything ran is not made when it runs, and there is nothing to wait for.
    @Test func whatIsClosedBeforeTheSchedulerRunsIsNeverMade() throws {
        try ManagerFixture.run { fixture in
            var configuration = RenewalScheduler.Configuration(entropy: .seeded(7))
            configuration.executor = fixture.world.configuration().executor
            let scheduler = RenewalScheduler(configuration: configuration, time: fixture.time)
            let closed = RotatingCredential("app", through: LeaseRoute(fixture.mount), on: scheduler)
            let open = RotatingCredential("app", through: LeaseRoute(fixture.mount), on: scheduler)
            let began = fixture.time.read().continuous
            await closed.close()
            #expect(fixture.time.read().continuous == began)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                _ = try await open.get()
                #expect(fixture.target.arrivals(of: .issue) == 1)
                scheduler.beginShutdown()
                try await group.waitForAll()
            }
            await closed.close()
            #expect(fixture.target.liveCredentials.isEmpty)
        }
    }

    /// One that could not be given back in time leaves its scheduler all the same, once that is done.
    @Test func aCredentialThatClosesLateLeavesItsSchedulerToo() throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            let token = try await closeTooEarly(source, holder)
            #expect(source.revoked.isEmpty)
            #expect(token.value != nil)
            try await holder.wait(.seconds(60))
            #expect(source.revoked == source.issued)
            #expect(token.value == nil, "the scheduler still knows it")
        }
    }

    /// Closes a credential in less time than its end takes; answers what lives as long as the scheduler knows it.
    private func closeTooEarly(_ source: ScriptedSource, _ holder: HolderFixture) async throws -> Weak {
        let token = Token()
        let route = LeaseRoute<String, Int>(source)
        let credential = RotatingCredential("app", through: route, on: holder.scheduler) { _ in
            withExtendedLifetime(token) {}
        }
        _ = try await credential.get()
        source.change { state in
            state.onRevoke = { [time = holder.fixture.time] _ in try await time.sleep(for: .seconds(20)) }
        }
        await credential.close(within: .seconds(2))
        return Weak(token)
    }

    @Test(arguments: [
        ("rate.callsPerSecond is 0.0", RateLimit(callsPerSecond: 0), 1, Duration.zero),
        ("rate.callsPerSecond is nan", RateLimit(callsPerSecond: .nan), 1, .zero),
        ("rate.burst", RateLimit(callsPerSecond: 1, burst: 0), 1, .zero),
        ("concurrency is 0", RateLimit(callsPerSecond: 1), 0, .zero),
        ("shutdownBudget is -1.0 seconds", RateLimit(callsPerSecond: 1), 1, .seconds(-1)),
    ])
    func settingsThatMakeNoSenseAreRefused(words: String, rate: RateLimit, concurrency: Int, budget: Duration) async {
        let scheduler = RenewalScheduler(
            configuration: .init(rate: rate, concurrency: concurrency, shutdownBudget: budget)
        )
        await expectRefusal(.invalidLimits, words) { try await scheduler.run() }
    }

    private final class Token: Sendable {}

    private struct Weak {
        weak var value: Token?
        init(_ value: Token) { self.value = value }
    }
}
