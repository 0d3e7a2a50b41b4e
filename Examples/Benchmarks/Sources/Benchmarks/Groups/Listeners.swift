// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What it costs that somebody listens: an issue and a revocation, with nobody and with three readers.
func measureListeners(_ scale: Scale) async throws -> [Measurement] {
    let silent = try await pairCost(listeners: 0, scale.rounds)
    let told = try await pairCost(listeners: 3, scale.rounds)
    return [
        Measurement("issue and revoke, no listener", silent, "ns"),
        Measurement("issue and revoke, 3 listeners", told, "ns", baseline: silent),
    ]
}

private func pairCost(listeners: Int, _ rounds: Int) async throws -> Double {
    let world = try await World()
    let count = 500
    _ = try await world.issue(10_000)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<listeners {
            let events = world.manager.events()
            group.addTask { for await _ in events {} }
        }
        defer { group.cancelAll() }
        var costs: [Double] = []
        for _ in 0..<rounds * 10 {
            let cost = try await nanoseconds {
                for number in 0..<count {
                    let lease = try await world.mount.issue(number)
                    _ = try await world.mount.revoke(lease.id)
                }
            }
            costs.append(cost / Double(count))
        }
        return median(costs)
    }
}
