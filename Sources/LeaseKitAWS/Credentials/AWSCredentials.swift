// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// An access key: what opens AWS, also what a lease of it holds.
///
/// Prints its id alone; the secrets are redacted.
public struct AWSCredentials: Sendable {
    /// The key's id, such as `AKIA…` for a user's and `ASIA…` for a temporary one.
    public var accessKeyID: String
    /// The secret key.
    public var secretAccessKey: SecretText
    /// The token that temporary credentials come with.
    public var sessionToken: SecretText?
    /// When they end at AWS, by this machine's clock; nil for a user's key.
    public var expiresAt: LeaseInstant?
    /// The ARN of who they are, where that is known.
    public var principal: String?
    /// Whose they are, where that is known.
    public var origin: Origin

    /// Makes credentials.
    public init(
        accessKeyID: String,
        secretAccessKey: SecretText,
        sessionToken: SecretText? = nil,
        expiresAt: LeaseInstant? = nil,
        principal: String? = nil,
        origin: Origin? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        // Tools write an empty one for none, and AWS would refuse it.
        let sessionToken = sessionToken.flatMap { $0.byteCount == 0 ? nil : $0 }
        self.sessionToken = sessionToken
        self.expiresAt = expiresAt
        self.principal = principal
        self.origin = origin ?? (sessionToken == nil ? .user : .unknown)
    }

    /// Whose credentials they are: some calls are open to some alone.
    public struct Origin: Hashable, Sendable {
        private enum Value { case user, role, unknown }
        private let value: Value

        /// A user's own key.
        public static let user = Origin(value: .user)
        /// A role's: roles assumed with them run for an hour at most.
        public static let role = Origin(value: .role)
        /// Temporary ones of which it was not said where they come from.
        public static let unknown = Origin(value: .unknown)
    }
}

extension AWSCredentials {
    /// Whether there is something in it that no key has, and no header may have.
    var hasSpaces: Bool {
        let isSpace: (UInt8) -> Bool = { $0 <= 0x20 || $0 == 0x7F }
        return accessKeyID.utf8.contains(where: isSpace) || secretAccessKey.withBytes { $0.contains(where: isSpace) }
            || sessionToken?.withBytes { $0.contains(where: isSpace) } ?? false
    }
}

extension AWSCredentials: Equatable {
    /// Compares ids and secrets, in constant time.
    public static func == (lhs: AWSCredentials, rhs: AWSCredentials) -> Bool {
        lhs.accessKeyID == rhs.accessKeyID && lhs.secretAccessKey == rhs.secretAccessKey
            && lhs.sessionToken == rhs.sessionToken
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The id; the secrets are redacted.
    public var description: String { "\(accessKeyID) <redacted>" }
    /// The id; the secrets are redacted.
    public var debugDescription: String { description }
    /// Everything but the secrets.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "accessKeyID": accessKeyID, "expiresAt": expiresAt as Any, "principal": principal as Any,
            ]
        )
    }
}
