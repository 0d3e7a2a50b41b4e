// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// The key of a keeper: 32 random bytes that the app supplies.
///
/// There is no way to make one from a passphrase. A passphrase that people can remember is found by trying, and what slows
/// that down (Argon2, scrypt) is not in the system's libraries everywhere; deriving a key with less would look safe and
/// not be. Draw one from the system's generator instead and keep it where your other keys are:
///
/// ```
/// (umask 077 && head -c 32 /dev/urandom > keeper.key)
/// ```
///
/// It prints as `<redacted>` and is wiped when the last copy goes.
public struct KeeperKey: Sendable {
    /// How many bytes a key has.
    public static let byteCount = 32

    let material: SecretText

    /// Takes 32 bytes as a key.
    ///
    /// The array stays yours: wipe it.
    public init(_ bytes: [UInt8]) throws(SecretKeeperError) {
        try self.init(SecretText(utf8: bytes))
    }

    /// Takes a secret of 32 bytes as a key: the bytes themselves, not their hexadecimal or Base64 form.
    public init(_ material: SecretText) throws(SecretKeeperError) {
        guard material.byteCount == Self.byteCount else {
            throw SecretKeeperError(
                .invalidKey,
                "A keeper's key has \(Self.byteCount) bytes, and this one has \(material.byteCount): supply the bytes "
                    + "themselves, not a text that stands for them, and nothing after them."
            )
        }
        // What a zeroed buffer or a placeholder in a template looks like.
        guard material.withBytes({ bytes in bytes.contains { $0 != bytes[0] } }) else {
            throw SecretKeeperError(
                .invalidKey,
                "This key is one byte \(Self.byteCount) times over: draw one with head -c 32 /dev/urandom."
            )
        }
        self.material = material
    }

    private init(checked material: SecretText) { self.material = material }

    /// Draws a new key from the system's generator.
    public static func random() -> KeeperKey {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        defer { WipedBytes.wipe(&bytes) }
        return KeeperKey(checked: SecretText(utf8: bytes))
    }

    /// Reads the key, to put it where the next start will find it.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try material.withBytes(body)
    }
}

extension KeeperKey: Equatable {
    /// Compares in constant time.
    public static func == (lhs: KeeperKey, rhs: KeeperKey) -> Bool { lhs.material == rhs.material }
}

extension KeeperKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the key.
    public var description: String { "<redacted>" }
    /// Never the key.
    public var debugDescription: String { "<redacted>" }
    /// Never the key.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
