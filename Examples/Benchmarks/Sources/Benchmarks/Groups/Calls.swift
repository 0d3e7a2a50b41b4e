// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Costs of the four calls, in nanoseconds.
private struct CallCosts {
    var issue: [Double] = []
    var renew: [Double] = []
    var revoke: [Double] = []
    var lookUp: [Double] = []
}

/// Issue, renew, revoke and look-up at each size, one caller, leases drawn from all over the table.
func measureCalls(_ scale: Scale) async throws -> [Measurement] {
    var measurements: [Measurement] = []
    var smallest: CallCosts?
    for size in scale.sizes {
        let raw = await rawCosts(size, scale.rounds * 30)
        let costs = try await World().running { try await callCosts($0, size, scale.rounds * 30) }
        func measurement(_ call: String, _ cost: KeyPath<CallCosts, [Double]>, _ target: Double) -> Measurement {
            Measurement(
                "\(call) at \(text(of: size))",
                median(costs[keyPath: cost]),
                "ns",
                baseline: median(raw[keyPath: cost]),
                target: scale.hasTargets(at: size) ? target : nil
            )
        }
        func growth(_ call: String, _ cost: KeyPath<CallCosts, [Double]>) -> Measurement? {
            guard let smallest, scale.hasTargets(at: size) else { return nil }
            return Measurement(
                "\(call) at \(text(of: size)) : at \(text(of: scale.sizes[0]))",
                median(costs[keyPath: cost]) / median(smallest[keyPath: cost]),
                "times",
                target: 4
            )
        }
        measurements += [
            measurement("issue", \.issue, 4_000), measurement("renew", \.renew, 2_000),
            measurement("revoke", \.revoke, 3_000), measurement("look-up", \.lookUp, 600),
        ]
        measurements += [
            growth("issue", \.issue), growth("renew", \.renew), growth("revoke", \.revoke), growth("look-up", \.lookUp),
        ].compactMap { $0 }
        smallest = smallest ?? costs
    }
    return measurements
}

/// In each round a few of the leases are looked up, renewed, revoked, and replaced by new ones.
///
/// The rounds are short and many: where other programs want the processor, too, most rounds still run undisturbed.
private func callCosts(_ world: World, _ size: Int, _ rounds: Int) async throws -> CallCosts {
    var leases = try await world.issue(size)
    var places = Places()
    var costs = CallCosts()
    for _ in 0..<rounds {
        let drawn = places.draw(roundLength, below: size)
        // Whoever calls has the id in hand: fetching it from a list of a million is no part of the call.
        let (ids, others) = (drawn.map { leases[$0] }, places.draw(roundLength, below: size).map { leases[$0] })
        costs.lookUp.append(try await nanoseconds { for id in ids { _ = try await world.manager.lease(id) } })
        costs.renew.append(try await nanoseconds { for id in others { _ = try await world.mount.renew(id) } })
        costs.revoke.append(try await nanoseconds { for id in ids { _ = try await world.mount.revoke(id) } })
        costs.issue.append(
            try await nanoseconds { for place in drawn { leases[place] = try await world.mount.issue(place).id } }
        )
    }
    return costs.eachCall
}

/// The same with the dictionary.
private func rawCosts(_ size: Int, _ rounds: Int) async -> CallCosts {
    let table = RawTable()
    var keys = (0..<size).map { table.insert($0, expiresAt: 0) }
    var places = Places()
    var costs = CallCosts()
    for round in 0..<rounds {
        let drawn = places.draw(roundLength, below: size)
        let (those, others) = (drawn.map { keys[$0] }, places.draw(roundLength, below: size).map { keys[$0] })
        var found = 0
        costs.lookUp.append(await nanoseconds { for key in those { found += table.find(key) == nil ? 0 : 1 } })
        costs.renew.append(await nanoseconds { for key in others { table.update(key, expiresAt: Int64(round)) } })
        costs.revoke.append(await nanoseconds { for key in those { table.remove(key) } })
        costs.issue.append(
            await nanoseconds { for place in drawn { keys[place] = table.insert(place, expiresAt: 0) } }
        )
        precondition(found == drawn.count, "the baseline lost a row")
    }
    return costs.eachCall
}

/// How many calls make a round.
private let roundLength = 500

extension CallCosts {
    /// The costs of one call, from those of a round.
    fileprivate var eachCall: CallCosts {
        func each(_ costs: [Double]) -> [Double] { costs.map { $0 / Double(roundLength) } }
        return CallCosts(issue: each(issue), renew: each(renew), revoke: each(revoke), lookUp: each(lookUp))
    }
}
