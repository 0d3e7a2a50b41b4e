// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A secret, which generation of its ``RotatingCredential`` it is, and until when it is good.
///
/// It redacts itself wherever it is printed, dumped or logged.
public struct VersionedSecret<Secret: Sendable>: Sendable {
    let held: HeldSecret<Secret>

    init(_ held: HeldSecret<Secret>) { self.held = held }

    /// The secret: everything that rotates together, such as a user name and its password.
    public var secret: Secret { held.secret }
    /// Which generation it is.
    public var generation: CredentialGeneration { CredentialGeneration(rawValue: held.number) }
    /// The lease that it is held by.
    public var lease: LeaseID { held.lease }
    /// Where that lies.
    public var path: String { held.path }
    /// Until when it was good when this was read, by the continuous clock; a renewal moves that on.
    public var validUntil: Duration { held.validUntil }
}

extension VersionedSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The lease and the generation; the secret is redacted.
    public var description: String { "\(path) \(generation), secret <redacted>" }
    /// The same.
    public var debugDescription: String { description }
    /// Everything but the secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["generation": generation, "lease": lease, "path": path, "secret": "<redacted>"])
    }
}
