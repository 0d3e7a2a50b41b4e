// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A user of a database, and the password that opens it.
public struct PostgresCredential: Hashable, Sendable {
    /// The name to log in with.
    public let username: String
    /// The password; the server knows a verifier of it only.
    public let password: SecretText

    /// Makes a credential.
    public init(username: String, password: SecretText) {
        self.username = username
        self.password = password
    }

    /// Hashes the name alone: a hash of the password would say something about it.
    public func hash(into hasher: inout Hasher) { hasher.combine(username) }
}

extension PostgresCredential: CustomStringConvertible, CustomReflectable {
    /// The name; the password is redacted.
    public var description: String { "\(username) with password <redacted>" }
    /// The name; the password is redacted.
    public var customMirror: Mirror {
        Mirror(self, children: ["username": username, "password": "<redacted>"])
    }
}
