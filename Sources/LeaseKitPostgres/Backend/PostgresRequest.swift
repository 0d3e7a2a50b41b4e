// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is asked of a ``PostgresBackend``: a credential of a role.
///
/// The name of the role is enough: `try await database.issue("app")`.
public struct PostgresRequest: Hashable, Sendable {
    /// The role, by the name that it has in the backend's configuration.
    public var role: String
    /// For whom or what, for people who read lists of roles: a part of the user name, cut to what fits.
    public var label: String?

    /// Makes a request.
    public init(role: String, label: String? = nil) {
        self.role = role
        self.label = label
    }
}

extension PostgresRequest: ExpressibleByStringInterpolation {
    /// A request for the role of this name.
    public init(stringLiteral value: String) { self.init(role: value) }
}
