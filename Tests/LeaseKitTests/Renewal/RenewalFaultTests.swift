// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What goes wrong between a holder and its broker: F1 to F10 of the fault table.
@Suite struct RenewalFaultTests {
    @Test func f1PartitionHealsBeforeExpiryAndTheSameCredentialGoesOn() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            try await holder.wait(.seconds(2_000))
            holder.target.partition(.refusing)
            // Ten minutes, from before the time of the renewal on.
            try await holder.wait(.seconds(1_300))
            #expect(credential.current?.generation == first.generation)
            if case .degraded(let left) = credential.health {
                #expect(left < .seconds(400))
            } else {
                Issue.record("it is in danger, and does not say so: \(credential.health)")
            }
            holder.target.heal()
            try await holder.wait(.seconds(300))
            let after = try #require(credential.current)
            #expect(after.generation == first.generation && after.secret.username == first.secret.username)
            #expect(after.validUntil > first.validUntil)
            #expect(credential.health == .healthy)
            #expect(holder.issues == 1)
            #expect(holder.news.count(.recovered) == 1)
        }
    }

    @Test(arguments: [TargetPartition.refusing, .silent, .losingReplies])
    func f2PartitionOutlastsExpiryAndNothingIsServedAfterIt(kind: TargetPartition) throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            holder.target.partition(kind)
            try await holder.wait(.seconds(3_590))
            #expect(credential.current != nil || kind == .losingReplies)
            try await holder.wait(.seconds(20))
            #expect(credential.current == nil)
            #expect(credential.health == .lost)
            #expect(holder.news.count(.lost) == 1)
            // Whoever asks waits no longer than it likes, and learns why.
            let error = await #expect(throws: LeaseError.self) { try await credential.get(within: .seconds(5)) }
            #expect(error?.isRetryable == true)
            holder.target.heal()
            let next = try await credential.get(within: .seconds(120))
            #expect(next.generation > first.generation && holder.target.check(next.secret))
        }
    }

    @Test func f2TheBodyOfAScopeIsCancelledAtExpiryAtTheLatest() throws {
        try HolderFixture.run { holder in
            let begun = holder.clock
            let end = Locked(Duration.zero)
            let error = await #expect(throws: LeaseLost.self) {
                try await holder.mount.withLease("app") { lease in
                    holder.target.partition(.silent)
                    do { try await holder.wait(.seconds(86_400)) } catch { end.withLock { $0 = holder.clock } }
                }
            }
            #expect(error?.reason == .expired)
            #expect(end.withLock { $0 } - begun == .seconds(3_600))
        }
    }

    @Test func f3RenewalsRejectedForEverMakeOneReplacementARotation() throws {
        try HolderFixture.run { holder in
            holder.target.setRandomFaults(TargetFaultMix())
            let credential = holder.credential()
            _ = try await credential.get()
            // A renewal statement that never works.
            for _ in 0..<20_000 { holder.target.script(.renew, .failBefore(.denied)) }
            try await holder.wait(.seconds(10 * 3_600))
            // Ten hours of leases of one hour: never more than one each time that one runs out.
            #expect((10...16).contains(holder.issues), "\(holder.issues) credentials were made")
            #expect(credential.current.map { holder.target.check($0.secret) } == true)
            #expect(holder.target.liveCredentials.count <= 2)
            #expect(holder.news.count(.renewalFailed) > 10)
            // Asked again, but never in a hot loop.
            #expect(holder.renewals < 40 * holder.issues)
        }
    }

    @Test(arguments: [TargetFault.loseReply, .failAfter, .late(.seconds(30))])
    func f4ARenewalWhoseAnswerIsLostIsRepeated(fault: TargetFault) throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            holder.target.script(.renew, fault)
            try await holder.waitUntil("it is renewed") {
                (credential.current?.validUntil ?? .zero) > first.validUntil
            }
            #expect(credential.current?.generation == first.generation)
            #expect(holder.issues == 1 && holder.renewals >= 2)
            // What the holder believes, the target keeps.
            let end = try #require(holder.target.liveCredentials.first?.endsAt)
            let left = try #require(credential.current).validUntil - holder.clock
            #expect(holder.now.duration(to: end) >= left)
        }
    }

    @Test func f5ABrokerThatIsDownIsPassedOverAfterAFewFailures() throws {
        try HolderFixture.run { holder in
            let (first, second) = (ScriptedSource(holder.time, seed: 1), ScriptedSource(holder.time, seed: 2))
            let route = LeaseRoute<String, Int>(first, then: [second])
            let kept = holder.scheduler.keep(first.lease(), through: route)
            first.change { $0.onRenew = { _ in throw unreachable } }
            try await holder.waitUntil("it is renewed") { (kept.status?.validUntil ?? .zero) > .seconds(3_600) }
            #expect(first.renewals.count == 2 && second.renewals.count == 1)
            #expect(holder.news.count(.failedOver) == 1)
            // The one that answered stays the one that is asked.
            try await holder.wait(.seconds(3_600))
            #expect(first.renewals.count == 2 && second.renewals.count >= 2)
        }
    }

    @Test func f5WhereBrokersShareNothingAnotherCredentialIsMadeAtTheNext() throws {
        try HolderFixture.run { holder in
            let (first, second) = (ScriptedSource(holder.time, seed: 1), ScriptedSource(holder.time, seed: 2))
            let route = LeaseRoute<String, Int>(first, then: [second], sharesLeases: false)
            let credential = RotatingCredential("app", through: route, on: holder.scheduler)
            let held = try await credential.get()
            first.change {
                $0.onRenew = { _ in throw unreachable }
                $0.onIssue = { _ in throw unreachable }
                $0.onRevoke = { _ in throw unreachable }
            }
            try await holder.waitUntil("it is replaced") { second.issued.count == 1 }
            #expect(holder.clock < held.validUntil - .seconds(60))
            #expect(second.renewals.isEmpty && second.revoked.isEmpty)
            try await holder.wait(.seconds(4_000))
            #expect(second.issued.count == 1 && second.renewals.count >= 1)
        }
    }

    @Test func f6ABrokerThatGotNoTimeEndsNothingThatAnotherOneRenewed() throws {
        try ManagerWorld.run { world in
            let shared = InMemoryLeaseStore(deployment: "tests", isExclusive: false, simulatedDurability: true)
            let behind = world.time.process(named: "behind")
            try await world.run(store: shared, seed: 1) { fixture in
                let configuration = world.configuration(seed: 2)
                try await withLeaseManager(store: shared, configuration: configuration, time: behind) { stale in
                    _ = try await stale.mount(world.makeBackend(seed: 2), at: "database")
                    try await fixture.holding { holder in
                        let credential = holder.credential("short")
                        let first = try await credential.get()
                        // It has planned for the end of the minute, and gets no time until that is over.
                        try await holder.wait(.seconds(5))
                        behind.pause()
                        try await holder.wait(.seconds(68))
                        #expect(holder.renewals == 1)
                        behind.resume()
                        try await holder.wait(.seconds(5))
                        #expect(credential.current?.generation == first.generation)
                        #expect(holder.target.check(first.secret))
                        #expect(holder.target.arrivals(of: .revoke) == 0)
                        // It is a full broker again: what it renews is renewed, and the holder goes on with it.
                        let renewed = try await stale.renew(first.lease)
                        #expect(renewed.granted > .zero)
                        for _ in 0..<200 {
                            #expect(credential.current.map { holder.target.check($0.secret) } == true)
                            try await holder.wait(.seconds(1))
                        }
                        #expect(holder.news.count(.lost) == 0)
                    }
                }
            }
        }
    }

    @Test(arguments: [3_600, -3_600, 86_400 * 30])
    func f7AWallClockThatJumpsChangesNothingForLiveLeases(jump: Int) throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            holder.time.jumpWall(by: .seconds(jump))
            #expect(credential.current?.generation == first.generation)
            try await holder.wait(.seconds(3_000))
            let after = try #require(credential.current)
            #expect(after.generation == first.generation && after.validUntil > first.validUntil)
        }
    }

    @Test func f8TheErrorOfABrokersClockShortensWhatIsCountedOn() throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            let route = LeaseRoute<String, Int>(source, policy: RenewalPolicy(clockError: 0.01))
            let kept = holder.scheduler.keep(source.lease(), through: route)
            #expect(kept.status?.validUntil == .seconds(3_564))
            let credential = RotatingCredential("app", through: route, on: holder.scheduler)
            let held = try await credential.get()
            #expect(held.validUntil - holder.clock == .seconds(3_564))
        }
    }

    @Test func f9AMachineThatSleptPastTheEndServesNothingBeforeANewCredentialIsThere() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            await holder.time.suspend(for: .seconds(7_200))
            #expect(credential.current == nil || credential.current!.generation > first.generation)
            let next = try await credential.get()
            #expect(next.generation > first.generation && holder.target.check(next.secret))
            try await holder.wait(.seconds(120))
            #expect(holder.news.count(.suspended) == 1)
        }
    }

    @Test func f10TimersThatAreLateAreNoticedAndNothingFalseIsServed() throws {
        try HolderFixture.run { holder in
            // A process of its own, so that it alone is starved.
            let process = holder.time.process(named: "starved")
            let source = ScriptedSource(process)
            let news = EventLog()
            var configuration = RenewalScheduler.Configuration(entropy: .seeded(3), observers: [news])
            configuration.executor = holder.scheduler.configuration.executor
            let scheduler = RenewalScheduler(configuration: configuration, time: process)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                let route = LeaseRoute<String, Int>(source)
                let credential = RotatingCredential("app", through: route, on: scheduler)
                let kept = scheduler.keep(source.lease(), through: route)
                let first = try await credential.get()
                process.pause()
                try await holder.wait(.seconds(3_500))
                #expect(credential.current?.generation == first.generation)
                process.resume()
                try await holder.wait(.seconds(1))
                #expect(news.count(.renewalLate) == 1)
                #expect((kept.status?.validUntil ?? .zero) > .seconds(7_000))
                process.pause()
                try await holder.wait(.seconds(7_200))
                // Its time is over, and no timer has said so: the clock does.
                #expect(credential.current == nil)
                process.resume()
                try await holder.wait(.seconds(1))
                #expect(credential.current.map { $0.generation > first.generation } == true)
                scheduler.beginShutdown()
                try await group.waitForAll()
            }
        }
    }
}
