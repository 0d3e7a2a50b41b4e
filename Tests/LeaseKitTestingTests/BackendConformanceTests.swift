// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct BackendConformanceTests {
    /// What a backend declares, so that every branch of the suite is walked.
    struct Configuration: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var abilities = BackendAbilities(isRenewable: true, endsByItself: true)
        var pageSize = 100
        var longestLife: Duration?
        var provesGone = false
        var lag: Duration = .zero
    }

    static let configurations = [
        Configuration(testDescription: "everything"),
        Configuration(testDescription: "pages of two", pageSize: 2),
        Configuration(testDescription: "pages of one", pageSize: 1),
        Configuration(
            testDescription: "immediate",
            abilities: BackendAbilities(isRenewable: true, callStyle: .immediate)
        ),
        Configuration(testDescription: "issues and revokes", abilities: BackendAbilities()),
        Configuration(
            testDescription: "ends by itself only",
            abilities: BackendAbilities(isRevocable: false, endsByItself: true)
        ),
        Configuration(
            testDescription: "needs its parent",
            abilities: BackendAbilities(isRenewable: true, endsByItself: true, needsParent: true)
        ),
        Configuration(testDescription: "cut short by the target", longestLife: .seconds(2700)),
        Configuration(testDescription: "proves gone", provesGone: true),
        Configuration(testDescription: "listing lags", pageSize: 2, lag: .seconds(40)),
    ]

    @Test(arguments: configurations) func theInMemoryBackendConforms(_ row: Configuration) throws {
        let world = World()
        world.target.setInventoryLag(row.lag)
        let backend = world.backend(
            abilities: row.abilities,
            roles: ["app": InMemoryRole(limits: TTLLimits(ttl: .seconds(60)), longestLife: row.longestLife)],
            pageSize: row.pageSize,
            provesGone: row.provesGone
        )
        try world.drive {
            var suite = SecretBackendConformance(backend, request: "app", time: world.time)
            suite.isUsable = { world.target.check($0) }
            suite.secretBytes = { Array($0.password.utf8) }
            suite.endAtTarget = { world.end(of: $0.name) }
            suite.unknownRequest = "no such role"
            suite.unknownPath = "creds/none"
            suite.untilListed = { try await world.time.sleep(for: row.lag) }
            suite.hang = { world.target.partition(.silent) }
            suite.release = { world.target.heal() }
            suite.entropy = .seeded(1)
            try await suite.run()
        }
        if row.abilities.isRevocable {
            #expect(world.target.liveCredentials.isEmpty, "the suite ends what it makes")
        }
        #expect(world.time.sleeperCount == 0)
        #expect(world.executor.foreignJobs == [])
    }

    @Test func worksWithoutAnyProbe() throws {
        let world = World()
        try world.drive {
            try await SecretBackendConformance(world.backend(), request: "app", time: world.time).run()
        }
        #expect(world.target.history.count > 50)
    }

    private func run(_ defect: BrokenBackend.Defect?) throws -> BackendConformanceFailure? {
        let world = World()
        let entropy = defect == .onePassword ? LeaseEntropy { 7 } : .seeded(9)
        let base = InMemoryBackend(
            target: world.target,
            time: world.time,
            slack: .zero,
            pageSize: 2,
            entropy: entropy
        )
        do {
            try world.drive {
                var suite = SecretBackendConformance(BrokenBackend(base, defect), request: "app", time: world.time)
                suite.isUsable = { world.target.check($0.credential) }
                suite.secretBytes = { Array($0.credential.password.utf8) }
                suite.endAtTarget = { world.end(of: $0.inner.name) }
                suite.unknownRequest = "no such role"
                suite.hang = {
                    var mix = TargetFaultMix()
                    mix.hang = 1
                    world.target.setRandomFaults(mix)
                }
                suite.release = { world.target.stopFaults() }
                suite.entropy = .seeded(1)
                try await suite.run()
            }
            return nil
        } catch let failure as BackendConformanceFailure {
            return failure
        }
    }

    @Test func theWrapperWithoutADefectConforms() throws {
        let failure = try run(nil)
        #expect(failure == nil, "\(failure?.description ?? "")")
    }

    @Test(arguments: BrokenBackend.Defect.allCases) func aBrokenBackendIsFound(_ defect: BrokenBackend.Defect) throws {
        let failure = try #require(try run(defect))
        #expect(failure.rules.contains(defect.rule), "\(failure)")
        #expect(failure.description.contains("- \(defect.rule.rawValue): "))
        #expect(!failure.description.contains("pw~"), "no secret in a report")
    }

    @Test func everyRuleHasADefectThatBreaksIt() {
        var rules = Set(BrokenBackend.Defect.allCases.map(\.rule))
        // Broken beside others, by failsWhenGone and ignoresDeadlines.
        rules.formUnion([.revokeTwiceIsGone, .pastDeadlineLeavesNothing])
        #expect(rules == Set(BackendRule.allCases))
    }

    @Test func someDefectsBreakMoreThanOneRule() throws {
        #expect(try run(.failsWhenGone)?.rules.contains(.revokeTwiceIsGone) == true)
        #expect(try run(.ignoresDeadlines)?.rules.contains(.pastDeadlineLeavesNothing) == true)
    }
}

extension World {
    /// When the target ends a credential, by our clock.
    func end(of name: String) -> LeaseInstant? {
        guard let end = target.principal(name)?.endsAt else { return nil }
        return time.wall + target.time.read().wall.duration(to: end)
    }
}
