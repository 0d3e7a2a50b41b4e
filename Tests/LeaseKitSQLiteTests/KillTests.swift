// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import KillSubject
import LeaseKit
import LeaseKitTesting
import Testing

/// A process is killed again and again, 312 times in all; nothing that it made is ever lost track of.
///
/// `LEASEKIT_SEED` repeats the random moments, as far as moments can be repeated.
@Suite("A process that is killed at any instant")
struct KillTests {
    @Test("at every step boundary", .timeLimit(.minutes(10)), arguments: KillSteps.Step.allCases)
    func atEveryStep(step: KillSteps.Step) async throws {
        let counts = [1, 2, 3, 5, 8, 13, 21, 34, 55]
        let bench = try KillBench(seed: 1)
        for count in counts { try await bench.live(killedAt: "\(step.rawValue):\(count)") }
        #expect(bench.kills == counts.count)
        try await bench.finish("\(step.rawValue)")
    }

    @Test("at random moments", .timeLimit(.minutes(10)), arguments: 1...6)
    func atRandomMoments(lane: UInt64) async throws {
        let seed = SeededGenerator.seed()
        print("killed at random moments, lane \(lane): LEASEKIT_SEED=\(seed) repeats them")
        let bench = try KillBench(seed: seed &+ lane)
        for _ in 0..<40 { try await bench.live(killedAt: nil) }
        #expect(bench.kills == 40)
        try await bench.finish("random moments, lane \(lane)")
    }
}
