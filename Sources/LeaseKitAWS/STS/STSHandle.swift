// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What is known of temporary credentials: the session's name, and when they end.
public struct STSHandle: LeaseHandle, Hashable, CustomStringConvertible {
    /// The session's name; ends in the lease's id.
    public let sessionName: String
    /// When they end at AWS, by LeaseKit's clock; before they are made, the latest possible end.
    public internal(set) var endsAt: LeaseInstant
    /// The id of the key.
    public internal(set) var accessKeyID: String?

    init(sessionName: String, endsAt: LeaseInstant, accessKeyID: String? = nil) {
        self.sessionName = sessionName
        self.endsAt = endsAt
        self.accessKeyID = accessKeyID
    }

    /// Reads a handle back.
    public init(handleBytes: [UInt8]) throws {
        let parts = try TextHandle(handleBytes: handleBytes).text.split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        guard parts.count == 3, !parts[0].isEmpty, let end = Int64(parts[1]) else {
            throw LeaseError(.invalidRequest, "a stored handle of STS is not name, time and key")
        }
        self.init(
            sessionName: String(parts[0]),
            endsAt: LeaseInstant(nanosecondsSinceEpoch: end),
            accessKeyID: parts[2].isEmpty ? nil : String(parts[2])
        )
    }

    /// Name, end and key, a line each.
    public var handleBytes: [UInt8] {
        Array("\(sessionName)\n\(endsAt.nanosecondsSinceEpoch)\n\(accessKeyID ?? "")".utf8)
    }

    /// The session's name.
    public var description: String { sessionName }
}
