// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import LeaseKit
import Testing

@testable import LeaseKitPostgres

@Suite struct PasswordTests {
    @Test func thePolicyCountsItsBits() {
        #expect(PasswordPolicy().bits >= 120)
        #expect(PasswordPolicy().trouble == nil)
        #expect(PasswordPolicy(length: 8, alphabet: "0123456789abcdef", minimumBits: 32).bits == 32)
    }

    @Test(arguments: [
        PasswordPolicy(length: 19), PasswordPolicy(length: 0, minimumBits: 0), PasswordPolicy(alphabet: ""),
        PasswordPolicy(alphabet: "a", minimumBits: 0), PasswordPolicy(length: 100, alphabet: "aab"),
        PasswordPolicy(alphabet: "abcdefghijklmnopqrstuvwxyzäöü"), PasswordPolicy(length: 100, alphabet: "abc d"),
        PasswordPolicy(length: 1_000),
    ])
    func aPolicyThatCannotBeKeptIsRefused(policy: PasswordPolicy) {
        #expect(policy.trouble != nil)
    }

    @Test func passwordsKeepToThePolicyAndDiffer() {
        let policy = PasswordPolicy(length: 40, alphabet: "abc!\"'\\$", minimumBits: 100)
        let made = (0..<200).map { _ in policy.makePassword().withText { $0 } }
        #expect(made.allSatisfy { $0.count == 40 && $0.allSatisfy { policy.alphabet.contains($0) } })
        #expect(Set(made).count == 200)
    }

    @Test func everyLetterIsAsLikelyAsTheOthers() {
        // 256 is no multiple of 3: without rejection the first letter would be seen more often.
        let bytes = Locked<UInt64>(0)
        let counting = LeaseEntropy {
            bytes.withLock { first in
                defer { first += 8 }
                return (0..<8).reduce(0) { $0 | ((first + $1) & 0xFF) << (8 * $1) }
            }
        }
        let text = PasswordPolicy(length: 255, alphabet: "abc").makePassword(counting).withText { $0 }
        for letter in "abc" { #expect(text.count { $0 == letter } == 85) }
    }

    @Test(arguments: [1, 2, 4_096]) func agreesWithAVectorOfItsOwnSalt(iterations: Int) throws {
        let verifier = try SCRAMVerifier(SecretText("pencil"), iterations: iterations)
        let parts = try #require(SCRAMParts(verifier.text.withText { $0 }))
        let again = try SCRAMVerifier(SecretText("pencil"), salt: parts.salt, iterations: iterations)
        #expect(verifier == again)
        #expect(try SCRAMVerifier(SecretText("pencils"), salt: parts.salt, iterations: iterations) != verifier)
        #expect(parts.iterations == iterations && parts.salt.count == 16)
    }

    @Test(arguments: ["", "pässword", "tab\tbed", "zero\0"]) func refusesWhatWouldNeedNormalising(password: String) {
        #expect(throws: SCRAMVerifier.Refusal.self) { try SCRAMVerifier(SecretText(password)) }
    }

    @Test(arguments: [0, -1, 100_001]) func refusesIterationsThatNoClientTakes(iterations: Int) {
        #expect(throws: SCRAMVerifier.Refusal.self) {
            try SCRAMVerifier(SecretText("pencil"), iterations: iterations)
        }
    }

    @Test func aVerifierPrintsNothingOfItself() throws {
        let verifier = try SCRAMVerifier(SecretText("pencil"), iterations: 1)
        var dumped = ""
        dump(verifier, to: &dumped)
        #expect(!"\(verifier) \(String(reflecting: verifier)) \([verifier]) \(dumped)".contains("SCRAM"))
    }

    /// libpq computes one under a salt of its own; ours under that salt is the same.
    @Test(arguments: ["pencil", "a b~!$:{}'\"\\", String(repeating: "x", count: 200)])
    func equalsWhatLibpqComputes(password: String) async throws {
        let configuration = try TestServer.shared(.system).configuration()
        for _ in 0..<3 {
            let text = try #require(try LibPQOracle.verifier(of: password, configuration))
            let parts = try #require(SCRAMParts(text))
            let ours = try SCRAMVerifier(SecretText(password), salt: parts.salt, iterations: parts.iterations)
            #expect(ours.text == SecretText(text))
        }
    }

    @Test(arguments: [1, 4_096]) func opensTheServer(iterations: Int) async throws {
        let server = try TestServer.shared(.system)
        let password = PasswordPolicy().makePassword()
        let verifier = try SCRAMVerifier(password, iterations: iterations).text.withText { $0 }
        let name = "scram_\(iterations)"
        try await server.sql("CREATE ROLE \(name) LOGIN PASSWORD '\(verifier)'")
        let client = LibPQClient(server.configuration(user: name, password: password.withText { $0 }))
        let user = try await client.withSession(database: nil, timeout: .seconds(10)) {
            try await $0.run([PostgresStatement("SELECT current_user")]).first?.first
        }
        #expect(user == name)
        let wrong = LibPQClient(server.configuration(user: name, password: "wrong"))
        let error = await #expect(throws: PostgresError.self) {
            try await wrong.withSession(database: nil, timeout: .seconds(10)) { try await $0.run(["SELECT 1"]) }
        }
        #expect(error?.sqlState == .invalidPassword)
        try await server.sql("DROP ROLE \(name)")
    }
}

/// libpq itself, asked for what we compute.
enum LibPQOracle {
    /// Needs a connection, which says what the server's passwords are encrypted with.
    static func verifier(of password: String, _ configuration: PostgresConfiguration) throws -> String? {
        let parameters = configuration.parameters(
            host: configuration.hosts[0],
            address: nil,
            database: "postgres",
            user: "postgres"
        )
        let secret = configuration.login().password?.withText { $0 } ?? ""
        let words = (parameters + [("password", secret)]).map { "\($0)='\($1)'" }.joined(separator: " ")
        guard let connection = PQconnectdb(words) else { return nil }
        defer { PQfinish(connection) }
        guard PQstatus(connection) == CONNECTION_OK,
            let text = PQencryptPasswordConn(connection, password, "postgres", "scram-sha-256")
        else { return nil }
        defer { PQfreemem(text) }
        return String(cString: text)
    }
}
