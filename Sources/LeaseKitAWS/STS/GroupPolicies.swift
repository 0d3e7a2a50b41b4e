// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The policies of groups, joined with a role's own.
struct GroupPolicies: Sendable {
    let document: PolicyDocument?
    let arns: [String]

    /// Reads the policies of groups, all pages of them.
    init(of groups: [String], joining own: PolicyDocument?, _ ownARNs: [String], _ iam: IAMCalls) async throws(AWSError)
    {
        var documents = own.map { [$0] } ?? []
        var arns = ownARNs
        for group in groups {
            let name: IAMCalls.Parameters = [("GroupName", group)]
            for policy in try await iam.pages("ListAttachedGroupPolicies", name, "AttachedPolicies", isStrict: true) {
                if let arn = policy.text("PolicyArn"), !arns.contains(arn) { arns.append(arn) }
            }
            for policy in try await iam.pages("ListGroupPolicies", name, "PolicyNames", isStrict: true) {
                let parameters = name + [("PolicyName", policy.text)]
                let reply = try await iam.client.call("GetGroupPolicy", parameters, until: iam.deadline)
                guard let encoded = reply.result.text("PolicyDocument"), let text = PercentCoding.decoded(encoded)
                else {
                    throw AWSError(.unreadableAnswer, "a group's policy cannot be read", action: "iam:GetGroupPolicy")
                }
                documents.append(try PolicyDocument(text, "the policy \"\(policy.text)\" of the group \"\(group)\""))
            }
        }
        self.arns = arns
        document = documents.count > 1 ? try PolicyDocument(merging: documents) : documents.first
        try CheckedSTSRole.checkPolicies(document, arns)
    }
}
