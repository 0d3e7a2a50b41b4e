// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What users made for leases of this role may do.
public struct IAMUserRole: Hashable, Sendable {
    /// A policy of its own for each user, as JSON.
    public var policyDocument: String?
    /// Managed policies that are attached.
    public var policyARNs: [String]
    /// Groups that the user joins.
    public var groups: [String]
    /// The most that the user may do, whatever its policies say.
    public var permissionsBoundaryARN: String?
    /// Tags of the user, besides those of LeaseKit.
    public var tags: [String: String]
    /// Where the user is, below LeaseKit's own path: begins and ends with a slash.
    public var path: String
    /// How long leases run.
    public var limits: TTLLimits

    /// Makes a role.
    public init(
        policyDocument: String? = nil,
        policyARNs: [String] = [],
        groups: [String] = [],
        permissionsBoundaryARN: String? = nil,
        tags: [String: String] = [:],
        path: String = "/",
        limits: TTLLimits = TTLLimits()
    ) {
        self.policyDocument = policyDocument
        self.policyARNs = policyARNs
        self.groups = groups
        self.permissionsBoundaryARN = permissionsBoundaryARN
        self.tags = tags
        self.path = path
        self.limits = limits
    }
}
