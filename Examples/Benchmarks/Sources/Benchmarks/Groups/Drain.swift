// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Every lease is due at the same moment: how long until the last one is gone.
///
/// The clock is moved while the manager does not run; the time counts from the start of `run()`.
func measureDrain(_ scale: Scale) async throws -> [Measurement] {
    var measurements: [Measurement] = []
    for size in scale.sizes {
        let time = MovableTime()
        let world = try await World(time: time)
        _ = try await world.issue(size, IssueOptions(ttl: .seconds(3_600)))
        time.advance(by: .seconds(7_200))
        let start = ContinuousClock.now
        let elapsed = try await world.running { world in
            try await world.waitUntilEmpty()
            return ContinuousClock.now - start
        }
        measurements.append(
            Measurement(
                "drain of \(text(of: size)) due at once",
                elapsed / .seconds(1),
                "s",
                target: scale.hasTargets(at: size) ? 4 : nil
            )
        )
    }
    return measurements
}
