// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A role that keeps the rules, in the form in which it goes to AWS.
struct CheckedUserRole: Sendable {
    let role: IAMUserRole
    let document: PolicyDocument?
    let plan: UserPlan

    init(_ role: IAMUserRole, name: String, hasDeadMan: Bool) throws(AWSError) {
        self.role = role
        do throws(AWSError) {
            var document: PolicyDocument?
            if let source = role.policyDocument { document = try PolicyDocument(source, "policyDocument") }
            let reserved = hasDeadMan ? DeadMan.length : 0
            let length = (document?.countedLength ?? 0) + reserved
            if length > AWSLimits.inlinePoliciesOfUser {
                throw AWSError(
                    .outOfBounds,
                    "policyDocument has \(length - reserved) characters without spaces; with \(reserved) for the policy that "
                        + "ends the user by itself these are more than the \(AWSLimits.inlinePoliciesOfUser) that a user's own "
                        + "policies may have: shorten it, or make it a managed policy and name that in policyARNs"
                )
            }
            try Self.checkParts(role)
            self.document = document
            plan = UserPlan(hasDocument: document != nil, policyARNs: role.policyARNs, groups: role.groups)
        } catch {
            throw AWSError(.outOfBounds, "role \"\(name)\": \(error.message)")
        }
    }

    private static func checkParts(_ role: IAMUserRole) throws(AWSError) {
        for arn in role.policyARNs { try AWSLimits.check(arn: arn, of: "policyARNs:", kind: "policy/") }
        try AWSLimits.check(
            count: role.policyARNs.count,
            of: "policyARNs",
            atMost: AWSLimits.policiesOfUser,
            fix: "put some into a group"
        )
        for group in role.groups { try AWSLimits.check(name: group, of: "the group", 1...128) }
        try AWSLimits.check(
            count: role.groups.count,
            of: "groups",
            atMost: AWSLimits.groupsOfUser,
            fix: "merge some of them"
        )
        if let arn = role.permissionsBoundaryARN {
            try AWSLimits.check(arn: arn, of: "permissionsBoundaryARN", kind: "policy/")
        }
        try AWSLimits.check(tags: role.tags, reserved: LeaseTags.count)
        let isPath =
            role.path.hasPrefix("/") && role.path.hasSuffix("/") && role.path.utf8.count <= 256
            && role.path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isPath else {
            throw AWSError(
                .outOfBounds,
                "path \"\(role.path)\" must begin and end with a slash and have at most 256 letters of ASCII without spaces"
            )
        }
        try AWSLimits.check(limits: role.limits)
    }
}

/// What hangs on a user and has to go before the user can: kept with the lease, should the role change.
struct UserPlan: Hashable, Sendable {
    var hasDocument = false
    var policyARNs: [String] = []
    var groups: [String] = []

    init(hasDocument: Bool = false, policyARNs: [String] = [], groups: [String] = []) {
        self.hasDocument = hasDocument
        self.policyARNs = policyARNs
        self.groups = groups
    }

    /// Reads a plan back; of one that cannot be read nothing is known, and everything is looked for.
    init(_ bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            switch line.first {
            case "d": hasDocument = true
            case "p": policyARNs.append(String(line.dropFirst()))
            case "g": groups.append(String(line.dropFirst()))
            default: break
            }
        }
    }

    var bytes: [UInt8] {
        let lines = (hasDocument ? ["d"] : []) + policyARNs.map { "p\($0)" } + groups.map { "g\($0)" }
        return Array(lines.joined(separator: "\n").utf8)
    }
}
