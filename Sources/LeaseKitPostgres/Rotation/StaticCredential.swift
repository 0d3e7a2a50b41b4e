// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A user that stays, and the password that it has for the time being.
public struct StaticCredential: Hashable, Sendable {
    /// The name and the password.
    public let credential: PostgresCredential
    /// The password that may be the right one already: there while a change is under way, or its end is not known.
    public let alternative: SecretText?
    /// Since when it has the password.
    public let changedAt: LeaseInstant
    /// When the next change is due.
    public let nextChange: LeaseInstant
    /// How long that is from now; zero when it is overdue.
    public let timeLeft: Duration

    /// Hashes the times and the name: a hash of a password would say something about it.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(credential)
        hasher.combine(changedAt)
    }
}

extension StaticCredential: CustomStringConvertible, CustomReflectable {
    /// The name and the time that is left.
    public var description: String { "\(credential.username) with password <redacted>, for \(timeLeft)" }
    /// The name and the times.
    public var customMirror: Mirror {
        Mirror(self, children: ["credential": credential, "changedAt": changedAt, "nextChange": nextChange])
    }
}
