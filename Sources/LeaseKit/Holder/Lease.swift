// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease in the hands of whoever asked for it: the only place where the secret is.
///
/// It redacts itself wherever it is printed, dumped or logged.
public struct Lease<Secret: Sendable>: Sendable, Identifiable {
    /// The lease's name.
    public let id: LeaseID
    /// Where it lies, such as `database/creds/app`.
    public let path: String
    /// What was asked for.
    ///
    /// Keep it out of logs and files; LeaseKit keeps no copy.
    public let secret: Secret
    /// When it was issued.
    public let issuedAt: LeaseInstant
    /// When it ends unless renewed.
    public let expiresAt: LeaseInstant
    /// The same by the continuous clock of the source, never later than the target sees it.
    public let validUntil: Duration
    /// Whether it can be renewed.
    public let isRenewable: Bool
    /// What was granted, what bound it and what is left.
    public let terms: TTLDecision
    /// When the source would like the first renewal, if it has a wish.
    public let window: RenewalWindow?

    /// Makes a lease; sources do that.
    public init(
        id: LeaseID,
        path: String,
        secret: Secret,
        issuedAt: LeaseInstant,
        expiresAt: LeaseInstant,
        validUntil: Duration,
        isRenewable: Bool,
        terms: TTLDecision,
        window: RenewalWindow? = nil
    ) {
        self.id = id
        self.path = path
        self.secret = secret
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.validUntil = validUntil
        self.isRenewable = isRenewable
        self.terms = terms
        self.window = window
    }

    /// The path and the id: `database/creds/app/01h8…`.
    public var name: String { "\(path)/\(id)" }
}

extension Lease: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The name and the end; the secret is redacted.
    public var description: String { "lease \(name) until \(expiresAt), secret <redacted>" }
    /// The same.
    public var debugDescription: String { description }
    /// Everything but the secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["id": id, "path": path, "expiresAt": expiresAt, "secret": "<redacted>"])
    }
}
