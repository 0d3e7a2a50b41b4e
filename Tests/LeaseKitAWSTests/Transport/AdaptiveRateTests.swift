// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct AdaptiveRateTests {
    @Test func thereIsNoLimitBeforeARefusal() {
        var rate = AdaptiveRate()
        for number in 0..<1_000 {
            let now = Duration.milliseconds(number)
            #expect(rate.reserve(at: now) == now)
            rate.answered(at: now)
        }
        #expect(rate.limit == nil)
    }

    @Test func aRefusalSlowsDownAndTheLimitGrowsBack() throws {
        var rate = AdaptiveRate()
        var now = Duration.zero
        for _ in 0..<400 {
            _ = rate.reserve(at: now)
            now += .milliseconds(10)
        }
        rate.refused(at: now)
        let limit = try #require(rate.limit)
        #expect(limit > 50 && limit < 100, "\(limit)")
        // Turns are as far apart as the limit says.
        let first = rate.reserve(at: now)
        let second = rate.reserve(at: now)
        #expect(abs((second - first) / .seconds(1) - 1 / limit) < 0.001)
        // Refusals of what was under way together count once.
        rate.refused(at: now + .milliseconds(100))
        #expect(rate.limit == limit)
        for step in 1...100 { rate.answered(at: now + .milliseconds(step * 100)) }
        #expect(try #require(rate.limit) > limit)
        _ = rate.reserve(at: now + .seconds(121))
        #expect(rate.limit == nil)
    }

    /// A turn that comes too late for a call is not taken: others may have it.
    @Test func whoCannotWaitTakesNoTurn() throws {
        let world = World()
        let (sent, isBroken) = (Locked(0), Locked(false))
        let transport = ScriptedTransport { _, _ in
            let number = sent.withLock { sent in
                sent += 1
                return sent
            }
            if number == 1 { return .failure(400, "Throttling") }
            return isBroken.withLock { isBroken in
                defer { isBroken = false }
                return isBroken ? .failure(500, "ServiceFailure") : .identity()
            }
        }
        let access = try world.access(transport)
        try world.drive {
            let time = world.time
            let ask: @Sendable () async -> Bool = {
                do throws(AWSError) {
                    _ = try await access.sts.call("GetCallerIdentity", until: time.read().continuous + .seconds(10))
                    return true
                } catch { return false }
            }
            _ = await ask()
            // A crowd comes at once, and most of it leaves with empty hands.
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<1_000 { group.addTask { await ask() } }
                await group.waitForAll()
            }
            await time.advance(by: .seconds(10))
            // Nor has it used up the retries of those that come after it.
            isBroken.withLock { $0 = true }
            #expect(await ask())
            #expect(!isBroken.withLock { $0 })
        }
    }

    @Test func refusalsWithoutEndDoNotStopItForEver() throws {
        var rate = AdaptiveRate()
        for second in 0..<100 {
            _ = rate.reserve(at: .seconds(second))
            rate.refused(at: .seconds(second))
        }
        #expect(try #require(rate.limit) >= AdaptiveRate.slowest)
    }

    @Test func theBudgetIsSpentAndEarned() {
        var budget = RetryBudget()
        var taken = 0
        while budget.take(isTimeout: true) != nil { taken += 1 }
        #expect(taken == 50)
        #expect(budget.take(isTimeout: false) == nil)
        for _ in 0..<5 { budget.succeeded(after: nil) }
        #expect(budget.take(isTimeout: false) == 5)
        budget.succeeded(after: 5)
        #expect(budget.left == 5)
        for _ in 0..<1_000 { budget.succeeded(after: nil) }
        #expect(budget.left == RetryBudget.capacity)
    }
}
