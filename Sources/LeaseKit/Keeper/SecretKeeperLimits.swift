// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What every keeper takes.
public enum SecretKeeperLimits: Sendable {
    /// The longest name, in bytes.
    public static let maximumNameLength = 200
    /// The longest secret, in bytes.
    public static let maximumSecretLength = 65_536

    /// Checks a name: 1 to 200 visible ASCII characters, such as `db/root` or `arn:aws:iam::123456789012:user/lease`.
    public static func check(name: String) throws(SecretKeeperError) {
        let bytes = name.utf8
        guard (1...maximumNameLength).contains(bytes.count) else {
            throw SecretKeeperError(
                .invalidName,
                "A name in a keeper has 1 to \(maximumNameLength) characters, and this one has \(bytes.count)."
            )
        }
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SecretKeeperError(
                .invalidName,
                "A name in a keeper is made of visible ASCII characters; leave out blanks, accents and control characters."
            )
        }
    }

    /// Checks a secret: 1 to 65,536 bytes.
    public static func check(secret: SecretText) throws(SecretKeeperError) {
        guard (1...maximumSecretLength).contains(secret.byteCount) else {
            throw SecretKeeperError(
                .invalidSecret,
                "A kept secret has 1 to \(maximumSecretLength) bytes, and this one has \(secret.byteCount)."
            )
        }
    }
}
