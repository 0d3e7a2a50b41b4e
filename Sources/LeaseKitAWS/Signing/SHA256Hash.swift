// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// SHA-256 and HMAC-SHA-256, as the system's cryptographic library does them.
///
/// An extension for each library brings `digest` and `authenticate`.
enum SHA256Hash {
    static let byteCount = 32

    static func digest(_ bytes: [UInt8]) throws(SigningFailure) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        guard bytes.withUnsafeBufferPointer({ digest($0, into: &result) }) else { throw SigningFailure() }
        return result
    }

    static func authenticate(_ message: [UInt8], key: [UInt8]) throws(SigningFailure) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        let isDone = message.withUnsafeBufferPointer { message in
            key.withUnsafeBufferPointer { authenticate(message, key: $0, into: &result) }
        }
        guard isDone else { throw SigningFailure() }
        return result
    }

    static func authenticate(_ message: [UInt8], key: SecretText) throws(SigningFailure) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        let isDone = message.withUnsafeBufferPointer { message in
            key.withBytes { authenticate(message, key: $0, into: &result) }
        }
        guard isDone else { throw SigningFailure() }
        return result
    }
}

/// The cryptographic library failed; it says nothing about the message.
struct SigningFailure: Error {}
