// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How many leases may be live at once.
///
/// Checked before the backend is called, at O(1).
///
/// Everything that has a record counts: what is stuck or ending still holds a credential at the target.
public struct LeaseQuotas: Hashable, Sendable {
    /// The most in the whole mount.
    public var perMount: Int?
    /// The most at any one path.
    public var perPath: Int?
    /// The most directly below any one parent.
    public var perParent: Int?
    /// The most held for any one owner, over all mounts.
    public var perOwner: Int?

    /// Makes quotas; nil stands for no limit.
    public init(perMount: Int? = nil, perPath: Int? = nil, perParent: Int? = nil, perOwner: Int? = nil) {
        self.perMount = perMount
        self.perPath = perPath
        self.perParent = perParent
        self.perOwner = perOwner
    }

    /// No limits.
    public static let unlimited = LeaseQuotas()

    /// The first quota that one more lease would break.
    public func firstBroken(by usage: Usage) -> Breach? {
        func breach(_ scope: Scope, _ limit: Int?, _ used: Int) -> Breach? {
            guard let limit, used >= limit else { return nil }
            return Breach(scope: scope, limit: limit)
        }
        return breach(.mount, perMount, usage.mount) ?? breach(.path, perPath, usage.path)
            ?? breach(.parent, perParent, usage.parent) ?? breach(.owner, perOwner, usage.owner)
    }

    /// How many there are now.
    public struct Usage: Hashable, Sendable {
        /// In the mount.
        public var mount: Int
        /// At the path.
        public var path: Int
        /// Below the parent; 0 without one.
        public var parent: Int
        /// Of the owner; 0 without one.
        public var owner: Int

        /// Makes a usage.
        public init(mount: Int = 0, path: Int = 0, parent: Int = 0, owner: Int = 0) {
            self.mount = mount
            self.path = path
            self.parent = parent
            self.owner = owner
        }
    }

    /// What a quota counts.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Scope: String, Hashable, Sendable {
        /// The mount's leases.
        case mount
        /// The path's leases.
        case path
        /// The parent's direct children.
        case parent
        /// The owner's leases.
        case owner
    }

    /// A quota that is used up.
    public struct Breach: Hashable, Sendable {
        /// Which one.
        public let scope: Scope
        /// Its limit.
        public let limit: Int
    }
}
