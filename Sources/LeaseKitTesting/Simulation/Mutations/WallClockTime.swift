// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Takes the wall clock for elapsed time, as soon as it has parted from it by more than a minute.
///
/// It breaks "Leases run on elapsed time". A drift by milliseconds is left out, so that only a jump can give it away.
struct WallClockTime: LeaseTime {
    let time: VirtualTime
    let start: TimeReading

    func read() -> TimeReading {
        var reading = time.read()
        let parted = start.wall.duration(to: reading.wall) - (reading.continuous - start.continuous)
        guard parted > .seconds(60) || parted < .seconds(-60) else { return reading }
        reading.continuous += parted
        reading.suspending += parted
        return reading
    }

    func sleep(until deadline: Duration) async throws {
        // Looks at the wall every now and then, since a jump wakes nobody.
        while true {
            let left = deadline - read().continuous
            if left <= .zero { return }
            try await time.sleep(for: min(left, .seconds(5)))
        }
    }
}
