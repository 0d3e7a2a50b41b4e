// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy(base: .seconds(2), cap: .seconds(600), stuckInterval: .seconds(3_600))

    @Test(arguments: [(1, 2), (2, 4), (3, 8), (4, 16), (9, 512), (10, 600), (11, 600), (1_000, 600)])
    func theCeilingDoublesUpToTheCap(failures: Int, seconds: Int) {
        let wait = policy.wait(afterFailures: failures, jitter: 1 - 1e-9, isStuck: false)
        #expect(wait <= .seconds(seconds))
        #expect(wait > .seconds(seconds) * 0.999)
    }

    @Test(arguments: [1, 5, 100])
    func jitterSpreadsTheWaitDownToNothing(failures: Int) {
        let half = policy.wait(afterFailures: failures, jitter: 0.5, isStuck: false)
        let most = policy.wait(afterFailures: failures, jitter: 0.999_999, isStuck: false)
        #expect(abs(half / most - 0.5) < 0.001)
        #expect(policy.wait(afterFailures: failures, jitter: 0, isStuck: false) == .milliseconds(10))
    }

    @Test func itNeverGivesUp() {
        for failures in [41, 1_000, Int(UInt32.max), .max] {
            let wait = policy.wait(afterFailures: failures, jitter: 0.5, isStuck: false)
            #expect(wait == .seconds(300))
        }
    }

    @Test(arguments: [0, -1, .min])
    func noFailureCountsAsTheFirst(failures: Int) {
        #expect(policy.wait(afterFailures: failures, jitter: 0.5, isStuck: false) == .seconds(1))
    }

    @Test func whatNeedsAPersonIsTriedSlowly() {
        for failures in [1, 5, 1_000] {
            #expect(policy.wait(afterFailures: failures, jitter: 0, isStuck: true) == .seconds(3_240))
            #expect(policy.wait(afterFailures: failures, jitter: 0.999, isStuck: true) < .seconds(3_960))
        }
    }

    @Test func theTargetMayAskForMoreTimeButNotForLess() {
        let long = policy.wait(afterFailures: 1, jitter: 0.5, isStuck: false, atLeast: .seconds(90))
        #expect(long == .seconds(90))
        let short = policy.wait(afterFailures: 5, jitter: 0.5, isStuck: false, atLeast: .seconds(-90))
        #expect(short == .seconds(16))
        #expect(policy.wait(afterFailures: 1, jitter: 0, isStuck: true, atLeast: .seconds(7_200)) == .seconds(7_200))
    }

    @Test(arguments: [Duration.nanoseconds(1), .seconds(86_400 * 3_650), .seconds(Int64.max)])
    func noBaseAndNoCapOverflow(length: Duration) {
        for (base, cap) in [(length, Duration.seconds(Int64.max)), (.seconds(1), length), (length, length)] {
            let policy = RetryPolicy(base: base, cap: cap, stuckInterval: length)
            for failures in [1, 2, 40, 41, .max] {
                let wait = policy.wait(afterFailures: failures, jitter: 0.999, isStuck: false)
                #expect(wait >= .milliseconds(10))
                #expect(wait <= max(cap, .milliseconds(10)))
                #expect(policy.wait(afterFailures: failures, jitter: 0.999, isStuck: true) >= .zero)
            }
        }
    }

    @Test func aBaseAboveTheCapIsHeldAtTheCap() {
        let policy = RetryPolicy(base: .seconds(100), cap: .seconds(10))
        #expect(policy.wait(afterFailures: 1, jitter: 0.5, isStuck: false) == .seconds(5))
    }
}
