// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

/// Every defect is noticed within the seeds of an ordinary run, by the invariant that it breaks, on a seed that is clean
/// without it.
@Suite(.serialized) struct MutationTests {
    /// The seeds among which every defect has to be noticed.
    static let seeds: ClosedRange<UInt64> = 1...300

    @Test(arguments: Mutation.allCases)
    func isCaught(_ mutation: Mutation) async throws {
        let begin = Date()
        let search = MutantSearch(mutation)
        // One thread, in order of seeds, so that it is always the same seed.
        await SimulationSettings.onThreads([0]) { _ in search.run(Self.seeds) }
        let report = try #require(
            search.caught,
            "\(mutation) was not noticed in \(Self.seeds.count) seeds; not clean without it: \(search.dirty)"
        )
        let violation = try #require(report.violations.first)
        let scene = mutation.scene.map { "scene \($0.rawValue)" } ?? "no scene"
        let seconds = String(format: "%.1f s", Date().timeIntervalSince(begin))
        print(
            "mutation \(mutation.rawValue): invariant \(violation.invariant), seed \(report.seed), \(scene), \(seconds), "
                + "\(search.dirty.count) seeds not clean without it: \(violation.message)"
        )
        #expect(
            mutation.invariants.contains(violation.invariant),
            "noticed by invariant \(violation.invariant), which it does not break: \(violation)"
        )
    }

    /// What a scene is for happens in it, in every run.
    @Test(arguments: Scene.allCases)
    func isPlayed(_ scene: Scene) async {
        let counts = Totals()
        await SimulationSettings.onThreads([1, 2, 3]) { seed in
            let report = Simulation(seed: seed, operations: 100, scene: scene).run()
            #expect(report.counts["scene.\(scene.rawValue)", default: 0] > 0, "seed \(seed)")
            counts.add(report)
        }
        #expect(counts.counts["issued", default: 0] > 0)
    }
}

extension Mutation {
    /// What it breaks: noticing it by anything else proves nothing.
    fileprivate var invariants: Set<Int> {
        switch self {
        // A credential is handed out whose record was never active.
        case .activatesRegardless: [9]
        // A live credential that no record names.
        case .forgetsIntent, .claimsPending, .trustsGone: [1]
        // A child that can be ended no more, since its parent is gone.
        case .endsParentFirst: [3]
        // A parent that did not wait for its children.
        case .hurriesParents: [3]
        // A renewal of what is revoked; a write with another worker's claim.
        case .renewsRevoked, .ignoresClaims: [4]
        // A removal that claims what is not so, or the credential that it leaves.
        case .dropsFailures: [1, 6]
        // Leases that are in use are ended early, or are believed to run when the target has ended them.
        case .trustsWallClock, .trustsNewBoot: [2, 9]
        // A record comes back, and nobody can end what it does not name.
        case .upsertsAttempts: [10]
        // What a caller gave up waits for its deadline.
        case .marksLookAtCancellation: [2]
        // What a caller revoked is not revoked.
        case .ordersLookAtCancellation: [6]
        // Somebody else's is ended.
        case .ignoresMarks, .sweepsByName: [11]
        }
    }
}

/// Looks for the first seed that a defect breaks and that is clean without it.
///
/// Unchecked, because it is used by one thread, and read when that has ended.
final class MutantSearch: @unchecked Sendable {
    let mutation: Mutation
    private(set) var caught: SimulationReport?
    /// Seeds that are broken without the defect, too.
    private(set) var dirty: [UInt64] = []

    init(_ mutation: Mutation) { self.mutation = mutation }

    func run(_ seeds: ClosedRange<UInt64>) {
        let scene = mutation.scene
        // Where a scene brings the situation about, a shorter run is enough.
        let operations = scene == nil ? 500 : 200
        for seed in seeds {
            let report = Simulation(seed: seed, operations: operations, scene: scene, mutation: mutation).run()
            if report.isClean { continue }
            if Simulation(seed: seed, operations: operations, scene: scene).run().isClean {
                caught = report
                return
            }
            dirty.append(seed)
        }
    }
}
