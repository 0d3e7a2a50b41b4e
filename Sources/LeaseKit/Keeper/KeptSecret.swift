// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A secret in a keeper, and its version.
public struct KeptSecret: Hashable, Sendable {
    /// The secret.
    public let secret: SecretText
    /// Its version: greater than those of all earlier secrets of the name.
    public let version: UInt64

    /// Makes one.
    public init(_ secret: SecretText, version: UInt64) {
        self.secret = secret
        self.version = version
    }

    /// Hashes the version alone: a hash of the secret would say something about it.
    public func hash(into hasher: inout Hasher) { hasher.combine(version) }
}
