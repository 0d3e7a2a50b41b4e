// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What finds a role at the server again.
public struct PostgresHandle: LeaseHandle, Hashable {
    /// The role's name at the server.
    public let name: String
    /// The configured role that it was made for; empty when that is not known.
    public let role: String
    /// After this, no request that was to make it can be carried out any more; nil when that is not known.
    let issueDeadline: LeaseInstant?

    init(name: String, role: String, issueDeadline: LeaseInstant?) {
        self.name = name
        self.role = role
        self.issueDeadline = issueDeadline
    }

    /// Reads a handle back.
    public init(handleBytes: [UInt8]) throws {
        var fields = FieldReader(handleBytes)
        guard fields.next() == "1", let name = fields.next(), let role = fields.next(), let end = fields.next() else {
            throw LeaseError(.invalidRequest, "a stored handle was written by a later version, or is damaged")
        }
        self.init(
            name: name,
            role: role,
            issueDeadline: Int64(end).map { LeaseInstant(nanosecondsSinceEpoch: $0) }
        )
    }

    /// The handle as it is stored.
    public var handleBytes: [UInt8] {
        fieldBytes(["1", name, role, issueDeadline.map { "\($0.nanosecondsSinceEpoch)" } ?? ""])
    }
}

extension PostgresHandle: CustomStringConvertible {
    /// The role's name at the server.
    public var description: String { name }
}
