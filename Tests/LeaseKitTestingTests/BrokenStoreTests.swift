// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite("The conformance suite can fail")
struct BrokenStoreTests {
    @Test("each flaw is found by the scripted rules", arguments: BrokenStore.Flaw.allCases)
    func isFoundByRules(flaw: BrokenStore.Flaw) async throws {
        let error = await #expect(throws: ConformanceFailure.self) {
            try await LeaseStoreConformance { BrokenStore(flaw) }.runRules()
        }
        #expect(error?.violations.isEmpty == false)
    }

    @Test(
        "flaws are found by the random run, which names its seed",
        arguments: [
            BrokenStore.Flaw.forgetsParents, .ignoresDeadlines, .losesOperations, .handsOutEarly, .ignoresClosing,
            .coversTheWholeMount, .miscountsOrders, .losesTheLastOfAPage, .losesChanges, .keepsTheOldHandle,
        ]
    )
    func isFoundByModel(flaw: BrokenStore.Flaw) async throws {
        let error = await #expect(throws: ConformanceFailure.self) {
            try await LeaseStoreConformance { BrokenStore(flaw) }.runModel(seed: 7, operations: 800)
        }
        #expect(error?.seed == 7)
        #expect(error?.description.contains("seed 7") == true)
    }
}
