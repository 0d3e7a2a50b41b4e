// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import RotatingPoolExample

/// The example's pool on a real server: sixteen workers who ask without pause notice nothing of a hundred rotations.
@Suite(.serialized) struct RotatingPoolTests {
    private func trial(rotations: Int) async throws -> (TestServer, Trial) {
        let real = try await TestServer.make(.system, .init(settings: ["max_connections": "100"]))
        let server = Server(port: real.port, superuserPassword: SecretText(real.password)) { try await real.restart() }
        try await server.prepare()
        // Other tests keep the machine busy meanwhile: a user lives eight seconds, however long a worker has to wait for its turn.
        return (real, Trial(server: server, rotations: rotations, interval: .milliseconds(400)))
    }

    @Test(.timeLimit(.minutes(4)))
    func aHundredRotationsFailNoQuery() async throws {
        let (_, trial) = try await trial(rotations: 100)
        let outcome = try await trial.rotate("rotations", [])
        #expect(outcome.flaws(rotations: 100, []) == [], "\(outcome)")
        #expect(outcome.tally.cutOff == 0)
    }

    @Test(.timeLimit(.minutes(4)))
    func norWhenTheServerIsRestartedAndRefusesRenewalsMeanwhile() async throws {
        let (_, trial) = try await trial(rotations: 100)
        let troubles: [Trial.Trouble] = [.restart, .refusedRenewals]
        let outcome = try await trial.rotate("rotations with trouble", troubles)
        #expect(outcome.flaws(rotations: 100, troubles) == [], "\(outcome)")
    }

    /// The same measure finds what others lose, so that it would find it here.
    @Test(.timeLimit(.minutes(2)), arguments: NaivePool.Pattern.allCases)
    func whatNaivePoolsLoseIsSeen(pattern: NaivePool.Pattern) async throws {
        let (_, trial) = try await trial(rotations: 10)
        let outcome = try await trial.tryNaively(pattern)
        #expect(outcome.tally.failed + outcome.tally.onRevoked > 0, "\(outcome)")
        #expect(outcome.flaws(rotations: 10, []) != [])
        #expect(outcome.left == 0)
    }
}
