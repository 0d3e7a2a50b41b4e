// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What an ``InMemoryBackend`` is asked with: a role's name.
public struct InMemoryRequest: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The role.
    public var role: String

    /// Makes a request.
    public init(role: String) { self.role = role }
    /// Makes a request from a literal.
    public init(stringLiteral value: String) { role = value }
}
