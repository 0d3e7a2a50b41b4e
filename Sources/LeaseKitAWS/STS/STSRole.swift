// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What temporary credentials made for leases of this role may do, and for how long.
public struct STSRole: Hashable, Sendable {
    /// How they are made.
    public var kind: Kind
    /// The roles that may be assumed; a request chooses one when there are several.
    public var roleARNs: [String]
    /// A policy that narrows down what they may do, as JSON.
    public var policyDocument: String?
    /// Managed policies that narrow it down.
    public var policyARNs: [String]
    /// Groups whose policies are added to those above.
    public var groups: [String]
    /// Tags of the session.
    public var sessionTags: [String: String]
    /// Which of the tags go on to roles that are assumed from there.
    public var transitiveTagKeys: [String]
    /// What the role's owner wants to hear.
    public var externalID: String?
    /// Who is behind the session, for the audit of AWS.
    public var sourceIdentity: String?
    /// The MFA device whose code a request brings.
    public var mfaSerialNumber: String?
    /// How long leases run: an hour by default.
    public var limits: TTLLimits
    /// What happens with a time that AWS does not give.
    public var bounds: Bounds
    /// What a revocation does with a session whose time is not over.
    public var revocation: Revocation

    /// Makes a role; ``assumedRole(_:limits:)``, ``federationToken(policyDocument:policyARNs:limits:)`` and
    /// ``sessionToken(limits:)`` are shorter.
    public init(
        kind: Kind,
        roleARNs: [String] = [],
        policyDocument: String? = nil,
        policyARNs: [String] = [],
        groups: [String] = [],
        limits: TTLLimits = TTLLimits()
    ) {
        self.kind = kind
        self.roleARNs = roleARNs
        self.policyDocument = policyDocument
        self.policyARNs = policyARNs
        self.groups = groups
        self.limits = limits
        sessionTags = [:]
        transitiveTagKeys = []
        bounds = .fail
        revocation = .none
    }

    /// A role that is assumed, one of these.
    public static func assumedRole(_ arns: String..., limits: TTLLimits = TTLLimits()) -> STSRole {
        STSRole(kind: .assumedRole, roleARNs: arns, limits: limits)
    }

    /// The own user's rights, narrowed down by a policy.
    public static func federationToken(
        policyDocument: String? = nil,
        policyARNs: [String] = [],
        limits: TTLLimits = TTLLimits()
    ) -> STSRole {
        STSRole(kind: .federationToken, policyDocument: policyDocument, policyARNs: policyARNs, limits: limits)
    }

    /// The own user's rights, for a while.
    public static func sessionToken(limits: TTLLimits = TTLLimits()) -> STSRole {
        STSRole(kind: .sessionToken, limits: limits)
    }

    /// How temporary credentials are made.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case assumedRole, federationToken, sessionToken }
        private let value: Value

        /// By AssumeRole.
        public static let assumedRole = Kind(value: .assumedRole)
        /// By GetFederationToken.
        public static let federationToken = Kind(value: .federationToken)
        /// By GetSessionToken.
        public static let sessionToken = Kind(value: .sessionToken)

        /// The kind as one word.
        public var description: String { value.rawValue }
    }

    /// What happens with a time that AWS does not give.
    public struct Bounds: Hashable, Sendable {
        private let isClamped: Bool

        /// It is refused, with the bound and what to do about it.
        public static let fail = Bounds(isClamped: false)
        /// The nearest one is taken.
        ///
        /// A lease of less than 15 minutes then ends before its credentials do.
        public static let clamp = Bounds(isClamped: true)
    }

    /// What a revocation does with a session whose time is not over.
    public struct Revocation: Hashable, Sendable {
        private let isByDenial: Bool

        /// It says when the session ends.
        public static let none = Revocation(isByDenial: false)
        /// It denies the session everything, by a policy of the role that was assumed.
        ///
        /// For assumed roles of the own account alone. Needs `iam:PutRolePolicy` and its like on these roles;
        /// ``STSBackend/preflight(timeout:)`` says whether they are there.
        public static let byDenial = Revocation(isByDenial: true)
    }
}
