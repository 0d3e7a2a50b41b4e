// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What finds a user again: its name, and once it is known the id of its key.
public struct IAMUserHandle: LeaseHandle, Hashable, CustomStringConvertible {
    /// The user's name; ends in the lease's id.
    public let userName: String
    /// Who made it.
    let deployment: String
    /// The id of the key that was handed out.
    public internal(set) var accessKeyID: String?
    /// When the user was made.
    var madeAt: LeaseInstant?

    init(userName: String, deployment: String, accessKeyID: String? = nil, madeAt: LeaseInstant? = nil) {
        self.userName = userName
        self.deployment = deployment
        self.accessKeyID = accessKeyID
        self.madeAt = madeAt
    }

    /// Reads a handle back.
    public init(handleBytes: [UInt8]) throws {
        let text = try TextHandle(handleBytes: handleBytes).text
        let parts = text.split(separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, !parts[0].isEmpty, parts[2].isEmpty || Int64(parts[2]) != nil else {
            throw LeaseError(.invalidRequest, "a stored handle of an IAM user is not name, key, time and deployment")
        }
        self.init(
            userName: String(parts[0]),
            deployment: String(parts[3]),
            accessKeyID: parts[1].isEmpty ? nil : String(parts[1]),
            madeAt: Int64(parts[2]).map { LeaseInstant(secondsSinceEpoch: $0) }
        )
    }

    /// Name, key, time and deployment, a line each.
    public var handleBytes: [UInt8] {
        let time = madeAt.map { String($0.wholeSecondsSinceEpoch) } ?? ""
        return Array("\(userName)\n\(accessKeyID ?? "")\n\(time)\n\(deployment)".utf8)
    }

    /// The user's name.
    public var description: String { userName }

    /// Whether it is of a mark's lease: the name ends in it.
    func names(_ mark: LeaseMark) -> Bool {
        deployment == mark.deployment && userName.hasSuffix("-\(mark.lease.text)")
    }
}
