// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite("Conformance of the in-memory store")
struct ConformanceTests {
    @Test("every scripted rule holds", arguments: [true, false])
    func rules(isExclusive: Bool) async throws {
        #expect(LeaseStoreConformance.ruleNames.count >= 40)
        try await LeaseStoreConformance { InMemoryLeaseStore(isExclusive: isExclusive) }.runRules()
    }

    @Test("a random run agrees with the model", arguments: UInt64(1)...40)
    func model(seed: UInt64) async throws {
        try await LeaseStoreConformance { InMemoryLeaseStore() }.runModel(seed: seed, operations: 150)
    }

    @Test("a random run with failing calls agrees with the model", arguments: UInt64(1)...20)
    func faults(seed: UInt64) async throws {
        try await LeaseStoreConformance { InMemoryLeaseStore(isExclusive: seed % 2 == 0) }
            .runModel(seed: seed, operations: 150, withFaults: true)
    }
}
