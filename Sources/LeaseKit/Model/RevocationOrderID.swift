// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The name of one revocation order: 64 random bits, printed as 16 hexadecimal digits.
public struct RevocationOrderID: Hashable, Sendable, CustomStringConvertible {
    /// The bits.
    public let rawValue: UInt64

    /// Makes an id from its bits, as a store reads it back.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Reads the 16 digits of ``description``; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 16, let bits = UInt64(text, radix: 16) else { return nil }
        self.init(rawValue: bits)
    }

    /// The id as 16 hexadecimal digits.
    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
