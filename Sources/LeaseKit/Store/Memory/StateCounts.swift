// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Counts by state without a heap allocation.
struct StateCounts {
    private var numbers = SIMD8<Int32>(repeating: 0)

    subscript(_ state: LeaseState) -> Int {
        get { Int(numbers[Int(state.rawValue)]) }
        set { numbers[Int(state.rawValue)] = Int32(truncatingIfNeeded: newValue) }
    }

    var total: Int { Int(numbers.wrappedSum()) }

    var counts: LeaseCounts {
        var counts = LeaseCounts()
        for state in LeaseState.allCases { counts[state] = self[state] }
        return counts
    }

    mutating func move(from before: LeaseState, to after: LeaseState) {
        self[before] -= 1
        self[after] += 1
    }
}
