// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Holds up some of the logins, as a server does that is busy: with the credential in hand, and before the server has seen it.
final class LoginDelay: Sendable {
    private let length: Duration
    private let isOn: Bool
    private let logins = Mutex(0)
    private static let each = 50

    init(_ length: Duration, isOn: Bool) {
        self.length = length
        self.isOn = isOn
    }

    /// How many were held up.
    var count: Int { isOn ? logins.withLock { $0 } / Self.each : 0 }

    /// Lets a login pass, most of them at once.
    func pass() async throws {
        let number = logins.withLock { logins in
            logins += 1
            return logins
        }
        if isOn, number % Self.each == 0 { try await RealTime.sleep(length) }
    }
}
