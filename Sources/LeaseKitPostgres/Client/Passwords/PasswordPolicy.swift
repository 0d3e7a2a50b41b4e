// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What generated passwords look like.
///
/// The default has 22 letters and digits, 130 bits: nobody finds it by trying, however cheap a try is, and it needs no escaping
/// in a connection string.
public struct PasswordPolicy: Hashable, Sendable {
    /// Letters and digits.
    public static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    /// How many characters a password has.
    public var length: Int
    /// The characters to draw from, each as likely as the others: printable ASCII without the blank.
    public var alphabet: String
    /// How many bits a password must have at least.
    public var minimumBits: Double

    /// Makes a policy.
    public init(length: Int = 22, alphabet: String = PasswordPolicy.alphanumeric, minimumBits: Double = 120) {
        self.length = length
        self.alphabet = alphabet
        self.minimumBits = minimumBits
    }

    /// How many bits a password has: what it takes to guess it, for one who knows the policy.
    public var bits: Double { length > 0 && !alphabet.isEmpty ? Double(length) * log2(Double(alphabet.utf8.count)) : 0 }

    /// What is wrong with it; nil when nothing is.
    public var trouble: String? {
        let bytes = Array(alphabet.utf8)
        if !bytes.allSatisfy({ (0x21...0x7E).contains($0) }) { return "its alphabet is not printable ASCII" }
        if Set(bytes).count != bytes.count { return "its alphabet has a character twice" }
        if length > 512 { return "its passwords are longer than 512 characters" }
        if bits < minimumBits {
            return "its passwords have \(Int(bits)) bits, and \(Int(minimumBits.rounded(.up))) are asked for"
        }
        if bytes.count < 2 || length < 1 { return "its passwords are all the same" }
        return nil
    }

    /// Draws a password.
    ///
    /// The policy must be without ``trouble``.
    public func makePassword(_ entropy: LeaseEntropy = .system) -> SecretText {
        if let trouble { preconditionFailure("a password policy cannot be used: \(trouble)") }
        let letters = Array(alphabet.utf8)
        // Bytes beyond the last whole multiple would make the first letters likelier.
        let limit = 256 - 256 % letters.count
        var password: [UInt8] = []
        password.reserveCapacity(length)
        while password.count < length {
            var word = entropy.next()
            for _ in 0..<8 where password.count < length {
                let byte = Int(word & 0xFF)
                word >>= 8
                if byte < limit { password.append(letters[byte % letters.count]) }
            }
        }
        defer {
            password.withUnsafeMutableBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                #if canImport(Darwin)
                    memset_s(start, bytes.count, 0, bytes.count)
                #else
                    explicit_bzero(start, bytes.count)
                #endif
            }
        }
        return SecretText(utf8: password)
    }
}
