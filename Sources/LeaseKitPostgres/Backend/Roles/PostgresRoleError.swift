// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A role that cannot work as it is configured: found before anything is asked of the server.
///
/// Two errors are equal when their codes are: a help for tests.
public struct PostgresRoleError: Error, Sendable {
    /// What is wrong.
    public let code: Code
    /// The role that it is about.
    public let role: String
    /// A sentence for people, with the fix in it.
    public let message: String

    /// The codes.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code as one word.
        public let description: String
        private init(_ description: String) { self.description = description }

        /// The role's name cannot be a part of a path.
        public static let invalidName = Code("invalidName")
        /// The times of the role make no sense together.
        public static let invalidLimits = Code("invalidLimits")
        /// The prefix of the user names is too long, or has other characters than it may.
        public static let invalidUserName = Code("invalidUserName")
        /// A group, a database or the new owner is no name that PostgreSQL can have.
        public static let invalidTarget = Code("invalidTarget")
        /// A statement cannot be read, or has a placeholder that it may not have.
        public static let invalidStatement = Code("invalidStatement")
        /// The statements make no user of the name that they are given.
        public static let makesNoUser = Code("makesNoUser")
        /// A statement begins or ends a transaction; LeaseKit does.
        public static let transactionControl = Code("transactionControl")
        /// A setting's name is none.
        public static let invalidSetting = Code("invalidSetting")
        /// The limit of connections is negative.
        public static let invalidConnectionLimit = Code("invalidConnectionLimit")
        /// The password's length, alphabet or iterations do not do.
        public static let invalidPassword = Code("invalidPassword")
    }
}

extension PostgresRoleError: Hashable {
    /// Compares the codes alone.
    public static func == (lhs: PostgresRoleError, rhs: PostgresRoleError) -> Bool { lhs.code == rhs.code }
    /// Hashes the code alone.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension PostgresRoleError: CustomStringConvertible {
    /// The code, the role and the sentence.
    public var description: String { "\(code): role \"\(role)\": \(message)" }
}
