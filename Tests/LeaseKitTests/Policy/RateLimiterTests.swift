// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LeaseKit

@Suite struct RateLimiterTests {
    private let start = LeaseInstant(secondsSinceEpoch: 1_000)

    @Test func withoutALimitThereIsAlwaysRoom() {
        var limiter = RateLimiter()
        for _ in 0..<1_000 { #expect(limiter.take(nil, at: start) == nil) }
        #expect(limiter.room(nil, at: start) == .max)
        #expect(limiter.nextRoom(nil, at: start) == start)
    }

    @Test(arguments: [1, 2, 5, 100])
    func aBurstIsTakenAtOnceAndNoMore(burst: Int) {
        let limit = RateLimit(callsPerSecond: 10, burst: burst)
        var limiter = RateLimiter()
        #expect(limiter.room(limit, at: start) == burst)
        for left in (0..<burst).reversed() {
            #expect(limiter.take(limit, at: start) == nil)
            #expect(limiter.room(limit, at: start) == left)
        }
        #expect(limiter.take(limit, at: start) == .milliseconds(100))
    }

    @Test func theWaitThatItNamesIsLongEnoughAndNotTooLong() {
        let limit = RateLimit(callsPerSecond: 4, burst: 3)
        var limiter = RateLimiter()
        for _ in 0..<3 { _ = limiter.take(limit, at: start) }
        let wait = limiter.take(limit, at: start) ?? .zero
        #expect(wait == .milliseconds(250))
        #expect(limiter.take(limit, at: start + wait - .nanoseconds(1)) != nil)
        #expect(limiter.take(limit, at: start + wait) == nil)
    }

    @Test func inTheLongRunItKeepsTheRate() {
        let limit = RateLimit(callsPerSecond: 10, burst: 5)
        var limiter = RateLimiter()
        var taken = 0
        for millisecond in 0..<10_000 where limiter.take(limit, at: start + .milliseconds(millisecond)) == nil {
            taken += 1
        }
        #expect(taken == 104)
    }

    @Test func aRefusalTakesNothing() {
        let limit = RateLimit(callsPerSecond: 1)
        var limiter = RateLimiter()
        _ = limiter.take(limit, at: start)
        for _ in 0..<100 { #expect(limiter.take(limit, at: start) == .seconds(1)) }
        #expect(limiter.take(limit, at: start + .seconds(1)) == nil)
    }

    @Test func aPauseFillsTheBucketAndNoMoreThanThat() {
        let limit = RateLimit(callsPerSecond: 2, burst: 4)
        var limiter = RateLimiter()
        for _ in 0..<4 { _ = limiter.take(limit, at: start) }
        #expect(limiter.room(limit, at: start + .seconds(1)) == 2)
        #expect(limiter.room(limit, at: start + .seconds(100)) == 4)
    }

    @Test func nextRoomIsWhenTakeSaysYes() {
        let limit = RateLimit(callsPerSecond: 8, burst: 2)
        var limiter = RateLimiter()
        for _ in 0..<2 { _ = limiter.take(limit, at: start) }
        let next = limiter.nextRoom(limit, at: start)
        #expect(next == start + .milliseconds(125))
        #expect(limiter.take(limit, at: next) == nil)
    }

    @Test(arguments: [0.0, -1, 1e-300, 1e300, .infinity])
    func noNumberEndsTheProcess(callsPerSecond: Double) {
        let limit = RateLimit(callsPerSecond: callsPerSecond, burst: .max)
        var limiter = RateLimiter()
        for _ in 0..<10 { _ = limiter.take(limit, at: start) }
        #expect(limiter.room(limit, at: start) > 0)
        #expect(limiter.nextRoom(limit, at: start) >= start)
    }

    @Test func aBurstBelowOneCountsAsOne() {
        var limiter = RateLimiter()
        #expect(limiter.take(RateLimit(callsPerSecond: 1, burst: -3), at: start) == nil)
        #expect(limiter.take(RateLimit(callsPerSecond: 1, burst: -3), at: start) == .seconds(1))
    }
}
