// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct KeeperConformanceTests {
    @Test func theKeeperInMemoryConforms() async throws {
        var suite = SecretKeeperConformance { InMemorySecretKeeper() }
        suite.reopen = { $0 }
        try await suite.run()
    }

    @Test(arguments: BrokenKeeper.Defect.allCases)
    func eachDefectBreaksItsRule(defect: BrokenKeeper.Defect) async throws {
        var suite = SecretKeeperConformance { BrokenKeeper(defect) }
        suite.reopen = { keeper in defect == .forgetsAtTheEnd ? BrokenKeeper(defect) : keeper }
        let failure = await #expect(throws: KeeperConformanceFailure.self) { try await suite.run() }
        #expect(failure?.rules.contains(defect.rule) == true, "\(failure.map { "\($0)" } ?? "")")
    }

    @Test func everyRuleCanBeBroken() {
        #expect(Set(BrokenKeeper.Defect.allCases.map(\.rule)) == Set(KeeperRule.allCases))
    }

    @Test func aPlanHasCallsFailBeforeOrAfterTheyAreDone() async throws {
        let keeper = InMemorySecretKeeper { call in
            switch call.index {
            case 0: .unavailable
            case 1: .unknown
            default: nil
            }
        }
        for code in [SecretKeeperError.Code.unavailable, .unknownOutcome] {
            let error = await #expect(throws: SecretKeeperError.self) {
                _ = try await keeper.stage(SecretText("s"), as: "a", replacing: nil)
            }
            #expect(error?.code == code)
            #expect(keeper.names == (code == .unavailable ? [] : ["a"]))
        }
        #expect(try await keeper.stage(SecretText("s"), as: "a", replacing: nil) == 1)
        #expect(keeper.calls.map(\.kind) == [.stage, .stage, .stage])
    }
}
