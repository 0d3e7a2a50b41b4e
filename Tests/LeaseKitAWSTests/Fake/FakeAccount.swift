// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What an account holds: users with everything that hangs on them, groups, policies.
struct FakeAccount: Sendable {
    struct User: Sendable {
        let path: String
        let tags: [String: String]
        let madeAt: LeaseInstant
        let boundary: String?
        var keys: [String: String] = [:]
        var inline: [String: String] = [:]
        var attached: [String] = []
        var groups: [String] = []
        var extras: [String: [String]] = [:]
        var hasLogin = false

        /// What keeps the user from being deleted.
        var isBare: Bool {
            keys.isEmpty && inline.isEmpty && attached.isEmpty && groups.isEmpty && !hasLogin
                && extras.values.allSatisfy(\.isEmpty)
        }
    }

    var users: [String: User] = [:]
    var groups: [String: [String: String]] = [:]
    var groupPolicies: [String: [String]] = [:]
    var policies: Set<String> = [
        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "arn:aws:iam::123456789012:policy/own",
    ]
    var sessions: [String: FakeSession] = [:]
    /// The policies of roles' own, by role and name.
    var roles: [String: [String: String]] = ["deploy": [:], "other": [:], "short": [:]]
    var virtualDevices: Set<String> = []
    var userQuota = 5_000
    var serial = 0

    mutating func nextSerial() -> String {
        serial += 1
        return "\(serial)"
    }
}
