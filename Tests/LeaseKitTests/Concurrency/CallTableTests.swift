// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite("Call table") struct CallTableTests {
    @Test func agreesWithADictionary() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var table = CallTable<Int, Int>()
        var model: [Int: Int] = [:]
        for step in 0..<20_000 {
            // A handful most of the time, many now and then.
            let bound = step / 2_000 % 2 == 0 ? 10 : 60
            let key = random.index(below: bound)
            if random.chance(0.5) {
                table[key] = step
                model[key] = step
            } else {
                table[key] = nil
                model[key] = nil
            }
            let other = random.index(below: 60)
            guard table[other] == model[other], table.count == model.count, table.isEmpty == model.isEmpty else {
                Issue.record("step \(step) parts from the dictionary [LEASEKIT_SEED=\(seed)]")
                return
            }
        }
        for key in 0..<60 { #expect(table[key] == model[key], "LEASEKIT_SEED=\(seed)") }
    }

    /// One that came when the others were a handful is changed where it is, also when there is room among them again.
    @Test func aKeyIsInOnePlace() {
        var table = CallTable<Int, String>()
        for key in 0..<20 { table[key] = "first" }
        for key in 0..<8 { table[key] = nil }
        table[15] = "second"
        #expect(table[15] == "second")
        #expect(table.count == 12)
        table[15] = nil
        #expect(table[15] == nil)
        #expect(table.count == 11)
    }
}
