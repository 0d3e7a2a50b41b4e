// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One kind of credential that a ``PostgresBackend`` makes: what its users may do, and for how long.
///
/// ```swift
/// let roles = [
///     "app": PostgresRole(.memberOf("app_readers"), ttl: .seconds(3_600), maximum: .seconds(86_400)),
///     "report": PostgresRole(
///         .statements(
///             creation: """
///                 CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' INHERIT;
///                 GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";
///                 """
///         ),
///         ttl: .seconds(3_600),
///         maximum: .seconds(86_400)
///     ),
/// ]
/// ```
public struct PostgresRole: Hashable, Sendable {
    /// How its users come to their rights.
    public var making: Making
    /// How long a credential runs when nobody asks for a particular time; nil takes the mount's.
    public var ttl: Duration?
    /// How old a credential may become; nil takes the mount's.
    public var maximum: Duration?
    /// How its users are named.
    public var userName: UserNameTemplate
    /// How its passwords are made.
    public var password: PasswordPolicy
    /// How often the server hashes a password to check it: a cost for the server at each issue and each login.
    ///
    /// It makes a password that somebody thought up stronger, and adds nothing to one of 120 random bits. PostgreSQL spends
    /// about 4.4 ms on an issue with the default and 0.1 ms with 2; but some drivers log in with nothing below the default:
    /// see <doc:Passwords>.
    public var iterations: Int
    /// How many sessions one user may have at once; nil for no limit.
    public var connectionLimit: Int?
    /// Settings that each of its sessions begins with, such as `statement_timeout`.
    public var settings: [String: String]
    /// The databases in which its users are expected to hold something.
    ///
    /// A revocation cleans wherever the catalog says that there is something to clean. For these, ``PostgresBackend/preflight(timeout:)``
    /// says beforehand when the admin cannot get in.
    public var databases: [String]
    /// What becomes of objects that a user owns when its credential ends.
    public var ownedObjects: OwnedObjects

    /// Makes a role.
    public init(
        _ making: Making,
        ttl: Duration? = nil,
        maximum: Duration? = nil,
        userName: UserNameTemplate = UserNameTemplate(),
        password: PasswordPolicy = PasswordPolicy(),
        iterations: Int = SCRAMVerifier.defaultIterations,
        connectionLimit: Int? = nil,
        settings: [String: String] = [:],
        databases: [String] = [],
        ownedObjects: OwnedObjects = .refuse
    ) {
        self.making = making
        self.ttl = ttl
        self.maximum = maximum
        self.userName = userName
        self.password = password
        self.iterations = iterations
        self.connectionLimit = connectionLimit
        self.settings = settings
        self.databases = databases
        self.ownedObjects = ownedObjects
    }

    var limits: TTLLimits { TTLLimits(ttl: ttl, maximum: maximum) }
}

extension PostgresRole {
    /// How the users of a role come to their rights.
    public struct Making: Hashable, Sendable {
        enum Value: Hashable {
            case groups([String])
            case statements(creation: [String], renewal: [String], revocation: [String], rollback: [String])
        }
        let value: Value

        /// By membership in groups that hold the rights: the recommended way.
        ///
        /// Making and ending such a user touches no table, however many tables the group may read.
        public static func memberOf(_ groups: String...) -> Making { Making(value: .groups(groups)) }

        /// By membership in groups that hold the rights.
        public static func memberOf(_ groups: [String]) -> Making { Making(value: .groups(groups)) }

        /// By statements with Vault's placeholders: `{{name}}` or `{{username}}`, `{{password}}`, `{{expiration}}`.
        ///
        /// Each text may hold several statements; all of one kind run in one transaction. Left out, renewal moves
        /// `VALID UNTIL`, and revocation does what ``PostgresBackend`` does for every role. Statements for the revocation
        /// run before that and need not be complete.
        ///
        /// - Parameters:
        ///   - creation: Makes the user. `{{password}}` stands for a SCRAM-SHA-256 verifier.
        ///   - renewal: Moves its end to `{{expiration}}`.
        ///   - revocation: What is to be done before the user is dropped.
        ///   - rollback: What is to be done when the creation failed, beyond what the failed transaction undid.
        public static func statements(
            creation: String...,
            renewal: [String] = [],
            revocation: [String] = [],
            rollback: [String] = []
        ) -> Making {
            Making(
                value: .statements(creation: creation, renewal: renewal, revocation: revocation, rollback: rollback)
            )
        }
    }

    /// What becomes of objects that a user owns when its credential ends.
    public struct OwnedObjects: Hashable, Sendable {
        enum Value: Hashable { case refuse, drop, reassign(String) }
        let value: Value

        /// The lease is stuck, with the objects named, until somebody decides.
        public static let refuse = OwnedObjects(value: .refuse)
        /// They are dropped, with what depends on them in the ways that `DROP OWNED` knows.
        public static let drop = OwnedObjects(value: .drop)
        /// Another role owns them from then on.
        public static func reassign(to role: String) -> OwnedObjects { OwnedObjects(value: .reassign(role)) }
    }
}
