// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What time it is at AWS, as its answers say.
///
/// Signatures, ends of policies and ends of credentials count by the service's clock. While this machine's clock is right,
/// it is used; when the answers say otherwise, they are, and time goes on with the continuous clock from there.
final class ServerClock: Sendable {
    private let base = Locked<LeaseInstant?>(nil)

    /// How far the two may be apart before the service's counts: dates have whole seconds.
    static let tolerance = Duration.seconds(2)

    func now(_ reading: TimeReading) -> LeaseInstant {
        base.withLock { $0 }.map { $0 + reading.continuous } ?? reading.wall
    }

    /// Takes over the date of an answer to a request that was sent between the two readings.
    func observe(_ date: LeaseInstant, sent: TimeReading, received: TimeReading) {
        let elapsed = received.continuous - sent.continuous
        // A slow answer says little about when it was written.
        guard elapsed < .seconds(30) else { return }
        let isRight = date + Self.tolerance >= sent.wall && date <= sent.wall + elapsed + Self.tolerance
        base.withLock { base in
            if isRight {
                base = nil
            } else if let known = base.map({ $0 + received.continuous }),
                known > date - Self.tolerance, known < date + Self.tolerance
            {
                // As before; a new estimate would only jitter.
            } else {
                base = date + .milliseconds(500) - received.continuous
            }
        }
    }
}
