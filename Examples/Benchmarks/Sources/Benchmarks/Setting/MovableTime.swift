// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Synchronization

/// The machine's clocks, and a hand to move them forward all together.
final class MovableTime: LeaseTime {
    private let system = SystemTime()
    private let offset = Mutex(Duration.zero)

    /// Moves the clocks forward.
    ///
    /// Whoever sleeps learns of it only when it wakes by itself.
    func advance(by duration: Duration) { offset.withLock { $0 += duration } }

    func read() -> TimeReading {
        let offset = offset.withLock { $0 }
        var reading = system.read()
        reading.wall = reading.wall + offset
        reading.continuous += offset
        reading.suspending += offset
        return reading
    }

    func sleep(until deadline: Duration) async throws {
        try await system.sleep(until: deadline - offset.withLock { $0 })
    }
}
