// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A role that keeps the rules, in the form in which it goes to AWS.
struct CheckedSTSRole: Sendable {
    let role: STSRole
    let document: PolicyDocument?

    init(_ role: STSRole, name: String) throws(AWSError) {
        self.role = role
        do throws(AWSError) {
            var document: PolicyDocument?
            if let source = role.policyDocument { document = try PolicyDocument(source, "policyDocument") }
            self.document = document
            try Self.checkKind(role)
            try Self.checkPolicies(document, role.policyARNs)
            for group in role.groups { try AWSLimits.check(name: group, of: "the group", 1...128) }
            try AWSLimits.check(tags: role.sessionTags, reserved: 0)
            for key in role.transitiveTagKeys where role.sessionTags[key] == nil {
                throw AWSError(
                    .outOfBounds,
                    "transitiveTagKeys names \"\(key)\", which is not among sessionTags: add it there"
                )
            }
            try Self.checkTexts(role)
            try Self.checkTimes(role)
        } catch {
            throw AWSError(.outOfBounds, "role \"\(name)\": \(error.message)")
        }
    }

    /// Nobody may change a role that AWS itself looks after.
    private static func checkRevocation(_ role: STSRole) throws(AWSError) {
        guard role.revocation != .none else { return }
        for arn in role.roleARNs where arn.contains(":role/aws-service-role/") || arn.contains(":role/aws-reserved/") {
            throw AWSError(
                .outOfBounds,
                "AWS looks after \"\(arn)\" and lets nobody change its policies, so that its sessions cannot be denied: "
                    + "leave revocation out, or assume another role"
            )
        }
    }

    private static func checkKind(_ role: STSRole) throws(AWSError) {
        guard role.kind == .assumedRole || role.revocation == .none else {
            throw AWSError(
                .outOfBounds,
                "\(role.kind) cannot be revoked: a denial would have to hang on LeaseKit's own user, which it would lock out. "
                    + "Leave revocation out, or make it an assumedRole"
            )
        }
        let hasPolicies = role.policyDocument != nil || !role.policyARNs.isEmpty || !role.groups.isEmpty
        let hasSession =
            !role.sessionTags.isEmpty || role.externalID != nil || role.sourceIdentity != nil
            || !role.transitiveTagKeys.isEmpty
        switch role.kind {
        case .assumedRole:
            guard !role.roleARNs.isEmpty else {
                throw AWSError(.outOfBounds, "assumedRole needs the ARN of a role in roleARNs")
            }
            for arn in role.roleARNs { try AWSLimits.check(arn: arn, of: "roleARNs:", kind: "role/") }
            try checkRevocation(role)
        case .federationToken:
            guard role.roleARNs.isEmpty, role.externalID == nil, role.sourceIdentity == nil,
                role.mfaSerialNumber == nil,
                role.transitiveTagKeys.isEmpty
            else {
                throw AWSError(
                    .outOfBounds,
                    "federationToken takes no roleARNs, externalID, sourceIdentity, transitiveTagKeys and mfaSerialNumber: "
                        + "leave them out, or make it an assumedRole"
                )
            }
            guard hasPolicies else {
                throw AWSError(
                    .outOfBounds,
                    "federationToken needs a policy: without one the credentials may do nothing"
                )
            }
        default:
            guard !hasPolicies, !hasSession, role.roleARNs.isEmpty else {
                throw AWSError(
                    .outOfBounds,
                    "sessionToken takes no policies, tags and roles: it is the own user, for a while. Leave them out, or make it "
                        + "a federationToken"
                )
            }
        }
    }

    /// Checks what is known of a session's policies; AWS packs them, and only it knows whether they fit then.
    static func checkPolicies(_ document: PolicyDocument?, _ arns: [String]) throws(AWSError) {
        for arn in arns { try AWSLimits.check(arn: arn, of: "policyARNs:", kind: "policy/") }
        try AWSLimits.check(
            count: arns.count,
            of: "policyARNs",
            atMost: AWSLimits.sessionPolicyARNs,
            fix: "merge some of them"
        )
        let length = (document?.text.count ?? 0) + arns.reduce(0) { $0 + $1.count }
        if length > AWSLimits.sessionPolicies {
            throw AWSError(
                .outOfBounds,
                "the session's policies have \(length) characters, and AWS takes \(AWSLimits.sessionPolicies): shorten them, or "
                    + "attach them to the role"
            )
        }
    }

    private static func checkTexts(_ role: STSRole) throws(AWSError) {
        let texts: [(name: String, value: String?, range: ClosedRange<Int>, extra: String)] = [
            ("externalID", role.externalID, 2...1_224, ":/"), ("sourceIdentity", role.sourceIdentity, 2...64, ""),
            ("mfaSerialNumber", role.mfaSerialNumber, 9...256, ":/"),
        ]
        for text in texts {
            guard let value = text.value else { continue }
            let plain =
                AWSLimits.name(String(value.filter { !text.extra.contains($0) }))
                == value.filter { !text.extra.contains($0) }
            guard text.range.contains(value.utf8.count), plain else {
                throw AWSError(
                    .outOfBounds,
                    "\(text.name) has \(value.utf8.count) characters; AWS takes \(text.range.lowerBound) to "
                        + "\(text.range.upperBound) of A-Z a-z 0-9 _+=,.@-\(text.extra)"
                )
            }
        }
    }

    private static func checkTimes(_ role: STSRole) throws(AWSError) {
        try AWSLimits.check(limits: role.limits)
        guard role.bounds == .fail else { return }
        let bounds = STSDuration(kind: role.kind, isChained: false, bounds: .fail)
        // A TTL that nobody could ever get is a mistake in the role.
        for time in [role.limits.ttl, role.limits.maximum] {
            if let time { _ = try bounds.seconds(for: time) }
        }
    }

    /// The role's limits, with an hour by default and no more than AWS gives.
    var limits: TTLLimits {
        let most = Duration.seconds(STSDuration(kind: role.kind, isChained: false, bounds: .clamp).ceiling)
        var limits = role.limits
        limits.maximum = min(limits.maximum ?? most, most)
        limits.ttl = min(limits.ttl ?? .seconds(3_600), limits.maximum ?? most)
        limits.period = nil
        return limits
    }
}
