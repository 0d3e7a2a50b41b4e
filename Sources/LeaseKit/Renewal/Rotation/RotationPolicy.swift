// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How a ``RotatingCredential`` makes a replacement, and how the one before it is given back.
public struct RotationPolicy: Sendable, Hashable {
    /// How long the users of a generation may go on when the next one is there.
    public var grace: Duration
    /// How long a generation that nobody has in hand is left alone when the next one is there.
    ///
    /// For holders that read a credential for each request and check nothing out: longer than their longest request.
    public var linger: Duration
    /// What happens to users who are still there after the grace.
    public var onDeadline: OnDeadline
    /// The least time between two replacements that somebody asks for: by a rejection, or for more time than is left.
    public var minimumInterval: Duration
    /// How long making a credential may take.
    public var issueTimeout: Duration
    /// How long it may take to find out whether a new credential works.
    public var validationTimeout: Duration
    /// How long the end of a generation is waited for before the next one is made.
    public var revocationTimeout: Duration
    /// How long ``RotatingCredential/get(validFor:within:)`` waits unless it is told otherwise.
    public var getTimeout: Duration

    /// What happens to users who are still there after the grace.
    public enum OnDeadline: Sendable, Hashable {
        /// Their credential is revoked under them.
        case revoke
        /// Their credential runs to its own end.
        case leaveToExpire
    }

    /// Makes a policy.
    public init(
        grace: Duration = .seconds(30),
        linger: Duration = .zero,
        onDeadline: OnDeadline = .revoke,
        minimumInterval: Duration = .seconds(30),
        issueTimeout: Duration = .seconds(30),
        validationTimeout: Duration = .seconds(10),
        revocationTimeout: Duration = .seconds(30),
        getTimeout: Duration = .seconds(30)
    ) {
        self.grace = max(grace, linger)
        self.linger = linger
        self.onDeadline = onDeadline
        self.minimumInterval = minimumInterval
        self.issueTimeout = issueTimeout
        self.validationTimeout = validationTimeout
        self.revocationTimeout = revocationTimeout
        self.getTimeout = getTimeout
    }
}

/// Which of the credentials that a ``RotatingCredential`` has held: each replacement has a higher number.
public struct CredentialGeneration: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Counts from one.
    public let rawValue: UInt64

    /// Names a generation.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Whether `lhs` is older than `rhs`.
    public static func < (lhs: CredentialGeneration, rhs: CredentialGeneration) -> Bool { lhs.rawValue < rhs.rawValue }

    /// `#` and the number.
    public var description: String { "#\(rawValue)" }
}

/// How a ``RotatingCredential`` does.
public enum CredentialHealth: Sendable, Hashable {
    /// A credential is held, and was renewed in time.
    case healthy
    /// A credential is held, but could not be renewed: so much time is left.
    case degraded(remaining: Duration)
    /// No valid credential is held: not yet, or no more.
    case lost
}
