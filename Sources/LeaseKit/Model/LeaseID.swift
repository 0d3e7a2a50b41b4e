// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The name of one lease: 128 random bits.
///
/// As text it is 26 lower-case characters without vowels that look like digits (`01h8…`). With its path in front it reads
/// `database/creds/app/01h8…`, see ``LeaseRecord/name``. An id is a name, not a key: knowing it opens nothing.
public struct LeaseID: Hashable, Sendable {
    /// The upper 64 bits.
    public let high: UInt64
    /// The lower 64 bits.
    public let low: UInt64

    /// Makes an id from its two halves, as a store reads them back.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Draws a new id.
    public static func random(using entropy: LeaseEntropy = .system) -> LeaseID {
        LeaseID(high: entropy.next(), low: entropy.next())
    }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let textLength = 26

    /// The id as 26 characters.
    public var text: String {
        String(unsafeUninitializedCapacity: Self.textLength) { buffer in
            var (high, low) = (high, low)
            for position in stride(from: Self.textLength - 1, through: 0, by: -1) {
                buffer[position] = Self.alphabet[Int(low & 31)]
                low = (low >> 5) | (high << 59)
                high >>= 5
            }
            return Self.textLength
        }
    }

    /// Reads the 26 characters of ``text``, alone or behind a path (`database/creds/app/01h8…`).
    ///
    /// Returns nil for anything else.
    public init?(_ text: String) {
        let last = text.utf8.lastIndex(of: UInt8(ascii: "/")).map { text.utf8[text.utf8.index(after: $0)...] }
        let characters = last ?? text.utf8[...]
        guard characters.count == Self.textLength else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (position, character) in characters.enumerated() {
            guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
            // 26 characters carry 130 bits: the first one may only use three of its five.
            guard position > 0 || value < 8 else { return nil }
            high = (high << 5) | (low >> 59)
            low = (low << 5) | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    /// Hashes the lower half: the bits are random already.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(low)
    }
}

extension LeaseID: CustomStringConvertible {
    /// The id as 26 characters.
    public var description: String { text }
}

extension LeaseID: Comparable {
    /// Orders ids by their bits: a stable order without a meaning.
    public static func < (lhs: LeaseID, rhs: LeaseID) -> Bool {
        (lhs.high, lhs.low) < (rhs.high, rhs.low)
    }
}
