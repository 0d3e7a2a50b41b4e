// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// AES-256-GCM and HMAC-SHA-256, as the system's cryptographic library does them.
///
/// An extension for each library brings `seal`, `open` and `authenticate`.
enum Cipher {
    static let keyLength = 32
    static let nonceLength = 12
    static let tagLength = 16

    /// A fresh nonce.
    static func nonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<nonceLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// The library failed; it says nothing about the message.
struct CipherFailure: Error {}
