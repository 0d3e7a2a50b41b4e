// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The time of this machine: everything here is real.
enum RealTime {
    private static let time = SystemTime()

    static var now: Duration { time.read().continuous }
    static var wall: LeaseInstant { time.read().wall }

    static func sleep(_ length: Duration) async throws { try await time.sleep(until: now + length) }

    /// Waits until something holds.
    static func wait(
        for what: String,
        within limit: Duration = .seconds(120),
        _ condition: () async throws -> Bool
    ) async throws {
        let deadline = now + limit
        while try await !condition() {
            if now > deadline { throw TookTooLong(what: what) }
            try await sleep(.milliseconds(5))
        }
    }

    struct TookTooLong: Error, CustomStringConvertible {
        let what: String
        var description: String { "waited too long for \(what)" }
    }
}

extension Duration {
    private var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

    /// In words that are short.
    var inMilliseconds: String { "\(nanoseconds / 1_000_000) ms" }
}
