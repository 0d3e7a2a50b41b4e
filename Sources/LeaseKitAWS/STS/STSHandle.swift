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
    /// How it is ended before its time; nil when it is not.
    let denial: Denial?

    /// What it takes to end a session before its time.
    struct Denial: Hashable, Sendable {
        /// The role that was assumed.
        let roleARN: String
        /// Who made it.
        let deployment: String
    }

    init(sessionName: String, endsAt: LeaseInstant, accessKeyID: String? = nil, denial: Denial? = nil) {
        self.sessionName = sessionName
        self.endsAt = endsAt
        self.accessKeyID = accessKeyID
        self.denial = denial
    }

    /// Reads a handle back.
    public init(handleBytes: [UInt8]) throws {
        let parts = try TextHandle(handleBytes: handleBytes).text.split(
            separator: "\n",
            maxSplits: 4,
            omittingEmptySubsequences: false
        )
        guard parts.count == 3 || parts.count == 5, !parts[0].isEmpty, let end = Int64(parts[1]) else {
            throw LeaseError(.invalidRequest, "a stored handle of STS is not name, time and key")
        }
        self.init(
            sessionName: String(parts[0]),
            endsAt: LeaseInstant(nanosecondsSinceEpoch: end),
            accessKeyID: parts[2].isEmpty ? nil : String(parts[2]),
            denial: parts.count == 5 ? Denial(roleARN: String(parts[3]), deployment: String(parts[4])) : nil
        )
    }

    /// Name, end and key, a line each; role and deployment, where they are needed.
    public var handleBytes: [UInt8] {
        let denial = denial.map { "\n\($0.roleARN)\n\($0.deployment)" } ?? ""
        return Array("\(sessionName)\n\(endsAt.nanosecondsSinceEpoch)\n\(accessKeyID ?? "")\(denial)".utf8)
    }

    /// The session's name.
    public var description: String { sessionName }

    /// Whether it is of a mark's lease: the name ends in it.
    func names(_ mark: LeaseMark) -> Bool {
        sessionName.hasSuffix("-\(mark.lease.text)") && (denial.map { $0.deployment == mark.deployment } ?? true)
    }
}
