// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

@Suite("Conformance of the SQLite store")
struct ConformanceTests {
    /// Makes stores, each on a file of its own, that live as long as this does.
    private func suite(isInline: Bool = true, _ options: SQLiteLeaseStore.Options = .init()) throws
        -> LeaseStoreConformance
    {
        let directory = try TemporaryDirectory()
        return LeaseStoreConformance {
            let name = LeaseID.random().text
            return SQLiteLeaseStore(path: directory.file(name), options: options, isInline: isInline)
        }
    }

    @Test("every scripted rule holds", arguments: [true, false])
    func rules(isInline: Bool) async throws {
        try await suite(isInline: isInline).runRules()
    }

    @Test("a random run agrees with the model", arguments: UInt64(1)...30)
    func model(seed: UInt64) async throws {
        try await suite().runModel(seed: seed, operations: 150)
    }

    @Test("a random run on the store's own thread agrees with the model", arguments: UInt64(100)...104)
    func thread(seed: UInt64) async throws {
        try await suite(isInline: false).runModel(seed: seed, operations: 150)
    }

    @Test("a random run with failing calls agrees with the model", arguments: UInt64(1)...20)
    func faults(seed: UInt64) async throws {
        try await suite().runModel(seed: seed, operations: 150, withFaults: true)
    }

    @Test("every scripted rule holds where removed leases leave entries behind")
    func rulesWithLeftovers() async throws {
        try await suite(StoreBench.leavingEntries).runRules()
    }

    @Test("a random run where removed leases leave entries behind agrees with the model", arguments: UInt64(300)...315)
    func leftovers(seed: UInt64) async throws {
        try await suite(StoreBench.leavingEntries).runModel(seed: seed, operations: 150, withFaults: seed % 2 == 0)
    }
}
