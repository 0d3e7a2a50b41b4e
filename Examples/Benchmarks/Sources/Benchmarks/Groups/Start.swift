// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How long a manager takes from nothing to the first lease, on an empty store and on one that is full.
///
/// There is nothing to load: the store is the lease table, and the manager asks it when it needs to know.
func measureStart(_ scale: Scale) async throws -> [Measurement] {
    let size = scale.largest
    let empty = try await startCost(InMemoryLeaseStore(), scale.rounds)
    let store = InMemoryLeaseStore()
    _ = try await World(store: store).issue(size)
    let full = try await startCost(store, scale.rounds)
    return [
        Measurement("start on an empty store", empty / 1_000, "µs"),
        Measurement(
            "start on \(text(of: size)) leases",
            full / 1_000,
            "µs",
            baseline: empty / 1_000,
            target: scale.hasTargets(at: size) ? 1_000 : nil
        ),
    ]
}

private func startCost(_ store: InMemoryLeaseStore, _ rounds: Int) async throws -> Double {
    var costs: [Double] = []
    for _ in 0..<rounds * 3 {
        costs.append(try await nanoseconds { _ = try await World(store: store).mount.issue(0) })
    }
    return median(costs)
}
