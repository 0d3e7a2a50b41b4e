// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Who waits for a place at a mount gets it in turn, or is told at once that there is no point in waiting.
@Suite struct WaitingLineTests {
    /// Runs a mount with one place and a call that holds it for ten seconds, while `count` others wait; answers who came back
    /// when, in which order, and what with.
    private static func run(
        waiting count: Int,
        first: TargetFault = .delay(.seconds(10)),
        _ during: @escaping @Sendable (ManagerFixture) async throws -> Void = { _ in }
    ) throws -> [(number: Int, at: Duration, code: LeaseError.Code?)] {
        let answers = Locked<[(number: Int, at: Duration, code: LeaseError.Code?)]>([])
        try ManagerFixture.run({ $0.settings.concurrency = 1 }) { fixture in
            // Who it is has been asked already.
            try await fixture.expectIssue()
            fixture.target.script(.issue, first)
            // Each takes a moment, so that the order in which they come back is the one in which they came in.
            for _ in 0..<count { fixture.target.script(.issue, .delay(.milliseconds(10))) }
            let start = fixture.time.read().continuous
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await fixture.mount.issue("app") }
                try? await fixture.wait(.seconds(1))
                for number in 0..<count {
                    group.addTask {
                        var code: LeaseError.Code?
                        do { _ = try await fixture.mount.issue("app") } catch { code = (error as? LeaseError)?.code }
                        let at = fixture.time.read().continuous - start
                        answers.withLock { [code] in $0.append((number, at, code)) }
                    }
                    try? await fixture.wait(.milliseconds(1))
                }
                try? await during(fixture)
            }
        }
        return answers.withLock { $0 }
    }

    @Test func theyComeInTurn() throws {
        let answers = try Self.run(waiting: 20)
        #expect(answers.map(\.number) == Array(0..<20))
        #expect(answers.allSatisfy { $0.code == nil })
        #expect(answers.last?.at == .milliseconds(10_200))
    }

    @Test func newcomersDoNotPassBy() throws {
        let answers = try Self.run(waiting: 10) { fixture in
            // Each of these arrives when the place may just have become free.
            try await fixture.wait(.milliseconds(8_990))
            for _ in 0..<20 {
                _ = try? await fixture.mount.issue("app")
                try await fixture.wait(.milliseconds(1))
            }
        }
        #expect(answers.map(\.number) == Array(0..<10))
        #expect(answers.allSatisfy { $0.at <= .seconds(11) && $0.code == nil })
    }

    @Test func aTargetThatGoesDownSendsThemAllAwayAtOnce() throws {
        let answers = try Self.run(waiting: 5) { fixture in
            try await fixture.wait(.seconds(2))
            // A revocation finds the target down, while the call that holds the place has no answer yet.
            fixture.target.partition(.refusing)
            try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .seconds(1)))
            #expect(try fixture.manager.health(ofMountAt: "database").runningCalls == 1)
            fixture.target.heal()
        }
        #expect(answers.count == 5)
        #expect(answers.allSatisfy { $0.at < .seconds(4) && $0.code == .targetUnavailable })
    }

    @Test func raisedSettingsLetThemAllInAtOnce() throws {
        let answers = try Self.run(waiting: 5) { fixture in
            try await fixture.wait(.seconds(2))
            var settings = fixture.mount.settings
            settings.concurrency = 8
            try fixture.mount.change(settings)
        }
        #expect(answers.map(\.number).sorted() == Array(0..<5))
        #expect(answers.allSatisfy { $0.at < .seconds(4) && $0.code == nil })
    }

    @Test func unmountingSendsThemAllAwayAtOnce() throws {
        let answers = try Self.run(waiting: 5) { fixture in
            try await fixture.wait(.seconds(2))
            try await fixture.manager.unmount(at: "database", leases: .leave)
        }
        #expect(answers.count == 5)
        #expect(answers.allSatisfy { $0.at < .seconds(4) && $0.code == .unknownMount })
    }

    @Test func whoIsCancelledWhenItsTurnComesPassesTheTurnOn() throws {
        try ManagerFixture.run({ $0.settings.concurrency = 1 }) { fixture in
            try await fixture.expectIssue()
            for _ in 0..<50 {
                fixture.target.script(.issue, .delay(.seconds(1)))
                let start = fixture.time.read().continuous
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await fixture.mount.issue("app") }
                    try await fixture.wait(.milliseconds(1))
                    let cancelled = Locked(false)
                    group.addTask {
                        await withTaskGroup(of: Void.self) { inner in
                            inner.addTask { _ = try? await fixture.mount.issue("app") }
                            // At the very moment at which the first one leaves.
                            try? await fixture.time.sleep(until: start + .seconds(1))
                            inner.cancelAll()
                            cancelled.withLock { $0 = true }
                        }
                    }
                    try await fixture.wait(.milliseconds(1))
                    group.addTask { _ = try await fixture.mount.issue("app") }
                    try await group.waitForAll()
                    #expect(cancelled.withLock { $0 })
                }
                #expect(fixture.time.read().continuous - start == .seconds(1))
            }
        }
    }

    @Test func theRateLetsThemInInTurn() throws {
        try ManagerFixture.run({ $0.settings.rate = RateLimit(callsPerSecond: 1) }) { fixture in
            let order = Locked<[Int]>([])
            let start = fixture.time.read().continuous
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        _ = try await fixture.mount.issue("app")
                        order.withLock { $0.append(number) }
                    }
                    try await fixture.wait(.milliseconds(1))
                }
                try await group.waitForAll()
            }
            #expect(order.withLock { $0 } == Array(0..<6))
            #expect(fixture.time.read().continuous - start <= .milliseconds(5_100))
        }
    }

    @Test func aRaisedRateCountsAtOnceForThoseWhoWait() throws {
        try ManagerFixture.run({
            $0.settings.rate = RateLimit(callsPerSecond: 0.05)
            $0.settings.issueTimeout = .seconds(60)
        }) { fixture in
            try await fixture.expectIssue()
            let start = fixture.time.read().continuous
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { _ = try await fixture.mount.issue("app") } }
                try await fixture.wait(.seconds(1))
                var settings = fixture.mount.settings
                settings.rate = nil
                try fixture.mount.change(settings)
                try await group.waitForAll()
            }
            #expect(fixture.time.read().continuous - start == .seconds(1))
        }
    }
}
