// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a server stores instead of a password: enough to check one, not enough to log in with.
///
/// It is computed here, so that no password reaches the server, its log or its statistics. It prints as `<redacted>`: whoever
/// has it can try passwords.
public struct SCRAMVerifier: Sendable, Equatable {
    /// The verifier as PostgreSQL reads it: `SCRAM-SHA-256$…`, letters, digits and `$:+/=-`.
    public let text: SecretText

    /// PostgreSQL's own number of iterations, and the least that every driver accepts.
    public static let defaultIterations = 4_096

    /// Computes the verifier of a password.
    ///
    /// - Parameters:
    ///   - password: Printable ASCII. Others would have to be normalised first, by rules that clients and servers apply
    ///     differently, and are refused.
    ///   - iterations: How often each try costs one hash, for whoever guesses, for the client at each login, and for the
    ///     server at each `CREATE ROLE`. It makes a weak password stronger, and does nothing for one of 120 bits.
    ///   - entropy: Where the salt comes from.
    public init(
        _ password: SecretText,
        iterations: Int = SCRAMVerifier.defaultIterations,
        entropy: LeaseEntropy = .system
    ) throws(Refusal) {
        var salt: [UInt8] = []
        for _ in 0..<2 { withUnsafeBytes(of: entropy.next()) { salt += $0 } }
        try self.init(password, salt: salt, iterations: iterations)
    }

    /// Computes the verifier of a password under a known salt.
    init(_ password: SecretText, salt: [UInt8], iterations: Int) throws(Refusal) {
        guard (1...100_000).contains(iterations) else { throw Refusal(description: "iterations outside 1...100000") }
        guard password.byteCount > 0 else { throw Refusal(description: "the password is empty") }
        guard password.withBytes({ $0.allSatisfy { (0x20...0x7E).contains($0) } }) else {
            throw Refusal(description: "the password is not printable ASCII")
        }
        guard let keys = SCRAMKeys(password, salt: salt, iterations: iterations) else {
            throw Refusal(description: "the system's cryptographic library failed")
        }
        let parts = [salt, keys.stored, keys.server].map { Data($0).base64EncodedString() }
        let text = "SCRAM-SHA-256$\(iterations):\(parts[0])$\(parts[1]):\(parts[2])"
        // A server takes what it cannot read as a password in clear, which then nobody can log in with.
        guard let read = SCRAMParts(text), read.salt == salt, read.stored == keys.stored, read.server == keys.server,
            read.iterations == iterations
        else { throw Refusal(description: "the verifier came out malformed") }
        self.text = SecretText(text)
    }

    /// Why there is no verifier.
    public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// A sentence without secrets.
        public let description: String
    }
}

extension SCRAMVerifier: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the verifier.
    public var description: String { "<redacted>" }
    /// Never the verifier.
    public var debugDescription: String { "<redacted>" }
    /// Never the verifier.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A verifier, taken apart as the server does it.
struct SCRAMParts {
    let iterations: Int
    let salt: [UInt8]
    let stored: [UInt8]
    let server: [UInt8]

    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "SCRAM-SHA-256" else { return nil }
        let first = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        let second = parts[2].split(separator: ":", omittingEmptySubsequences: false)
        guard first.count == 2, second.count == 2, let iterations = Int(first[0]), iterations > 0,
            let salt = Data(base64Encoded: String(first[1])), !salt.isEmpty,
            let stored = Data(base64Encoded: String(second[0])), stored.count == 32,
            let server = Data(base64Encoded: String(second[1])), server.count == 32
        else { return nil }
        self.iterations = iterations
        self.salt = Array(salt)
        self.stored = Array(stored)
        self.server = Array(server)
    }
}
