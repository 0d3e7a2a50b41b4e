// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What an ``InMemoryBackend`` issues: a user name and a password, which only opens an ``InMemoryTarget``.
public struct FakeCredential: Sendable {
    /// The user's name.
    public let username: String
    /// The password.
    public let password: String

    /// Makes a credential, for a test that plays the target itself.
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }
}

extension FakeCredential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The name alone.
    public var description: String { "\(username):<redacted>" }
    /// The name alone.
    public var debugDescription: String { description }
    /// The name alone.
    public var customMirror: Mirror { Mirror(self, children: ["username": username]) }
}
