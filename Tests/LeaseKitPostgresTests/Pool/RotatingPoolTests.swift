// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import RotatingPoolExample

/// The example's pool on a real server: sixteen workers who ask without pause notice nothing of a hundred rotations.
@Suite(.serialized) struct RotatingPoolTests {
    /// - Parameter outage: How long a restart leaves the server away.
    private func trial(rotations: Int, outage: Duration = .zero) async throws -> (TestServer, Trial) {
        let real = try await TestServer.make(.system, .init(settings: ["max_connections": "100"]))
        let server = Server(port: real.port, superuserPassword: SecretText(real.password)) {
            await real.stop()
            try await RealTime.sleep(outage)
            try await real.start()
        }
        try await server.prepare()
        // A user lives three seconds.
        return (real, Trial(server: server, rotations: rotations, interval: .milliseconds(150)))
    }

    /// Runs a trial, and a second one when the first shows nothing: other tests keep the machine busy meanwhile, and where
    /// whoever uses a connection gets no time for as long as its user lives, no pool can help.
    private func rotate(_ trial: Trial, _ name: String, _ troubles: [Trial.Trouble]) async throws -> Trial.Outcome {
        let outcome = try await trial.rotate(name, troubles)
        let (machine, tasks) = (outcome.pauses.machine.inMilliseconds, outcome.pauses.tasks.inMilliseconds)
        let connecting = outcome.pauses.connecting.inMilliseconds
        print(
            Report.heading(),
            Report.line(outcome),
            "the machine stood still for \(machine), tasks for \(tasks), a login for \(connecting)",
            separator: "\n"
        )
        guard outcome.wasStarved, !outcome.flaws(rotations: trial.rotations, troubles).isEmpty else { return outcome }
        print("\(name) is tried once more")
        return try await trial.rotate(name, troubles)
    }

    @Test(.timeLimit(.minutes(4)))
    func aHundredRotationsFailNoQuery() async throws {
        let (_, trial) = try await trial(rotations: 100)
        let outcome = try await rotate(trial, "rotations", [])
        #expect(outcome.flaws(rotations: 100, []) == [], "\(outcome)")
        #expect(outcome.tally.cutOff == 0)
    }

    @Test(.timeLimit(.minutes(4)))
    func norWhenTheServerIsRestartedAndRefusesRenewalsMeanwhile() async throws {
        let (_, trial) = try await trial(rotations: 100)
        let troubles: [Trial.Trouble] = [.restart, .refusedRenewals]
        let outcome = try await rotate(trial, "rotations with trouble", troubles)
        #expect(outcome.flaws(rotations: 100, troubles) == [], "\(outcome)")
    }

    /// A login that outlasts its user is refused: that is not the credential's fault, and not the query's.
    @Test(.timeLimit(.minutes(2)))
    func norWhenLoginsTakeLongerThanAUserLives() async throws {
        let (_, trial) = try await trial(rotations: 20)
        let outcome = try await rotate(trial, "slow logins", [.slowLogins])
        #expect(flaws(of: outcome, [.slowLogins]) == [], "\(outcome)")
    }

    /// A credential that cannot be replaced in time ends under nobody: while too little of it is left, the pool waits.
    @Test(.timeLimit(.minutes(2)), arguments: [2_300, 2_600])
    func norWhenTheServerIsAwayForMostOfALease(milliseconds: Int) async throws {
        let (_, trial) = try await trial(rotations: 20, outage: .milliseconds(milliseconds))
        let outcome = try await rotate(trial, "away for \(milliseconds) ms", [.restart])
        #expect(flaws(of: outcome, [.restart]) == [], "\(outcome)")
    }

    /// The flaws of twenty rotations in which users come to their end while somebody has them in hand: such a one is no longer
    /// valid, and makes room for the next one before it is dropped.
    private func flaws(of outcome: Trial.Outcome, _ troubles: [Trial.Trouble]) -> [String] {
        outcome.flaws(rotations: 20, troubles).filter { !$0.contains("users at once") }
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
