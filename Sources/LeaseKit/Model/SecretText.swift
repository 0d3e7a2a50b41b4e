// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A secret that is a text: a password, a key, a token.
///
/// It prints as `<redacted>` wherever it is printed, dumped or interpolated, cannot be encoded, is compared in constant time
/// and is read in a scope:
///
/// ```swift
/// let password = SecretText("…")
/// try password.withText { try connect(user: name, password: $0) }
/// ```
///
/// The bytes are wiped when the last copy goes. That is best effort: whatever `withText` hands out, and whatever the system
/// copied on the way, is out of reach.
public struct SecretText: Sendable {
    private let storage: Storage

    /// Takes a text as a secret.
    public init(_ text: String) { storage = Storage(Array(text.utf8)) }

    /// Takes UTF-8 bytes as a secret.
    public init(utf8 bytes: [UInt8]) { storage = Storage(bytes) }

    /// Reads the secret as a text, for as long as `body` runs.
    public func withText<Result, Failure: Error>(
        _ body: (String) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(String(decoding: storage.bytes, as: UTF8.self))
    }

    /// Reads the secret as UTF-8 bytes, for as long as `body` runs.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.bytes)
    }

    /// How many bytes it has.
    public var byteCount: Int { storage.bytes.count }

    /// Holds the bytes in memory of its own, so that they can be wiped.
    private final class Storage: Sendable {
        // Written once, before anybody else can see it, and again when nobody can any more.
        nonisolated(unsafe) private let memory: UnsafeMutableBufferPointer<UInt8>

        init(_ bytes: [UInt8]) {
            memory = .allocate(capacity: bytes.count)
            _ = memory.initialize(from: bytes)
        }

        deinit {
            // A plain loop over memory that is freed next would be optimised away.
            if let start = memory.baseAddress {
                #if canImport(Darwin)
                    memset_s(start, memory.count, 0, memory.count)
                #else
                    explicit_bzero(start, memory.count)
                #endif
            }
            memory.deallocate()
        }

        var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(memory) }
    }
}

extension SecretText: Equatable {
    /// Compares in a time that depends on the length alone.
    public static func == (lhs: SecretText, rhs: SecretText) -> Bool {
        guard lhs.byteCount == rhs.byteCount else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(lhs.storage.bytes, rhs.storage.bytes) { difference |= left ^ right }
        return difference == 0
    }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the secret.
    public var description: String { "<redacted>" }
    /// Never the secret.
    public var debugDescription: String { "<redacted>" }
    /// Never the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
