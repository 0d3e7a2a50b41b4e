// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A service in virtual time with credentials that rotate, pools that use them, and scopes, whose brokers are on another
/// machine: random operations and faults from a seed, checked after every step.
///
/// First everything goes wrong; then the faults stop, and within a quarter of an hour of virtual time everything has to come right.
/// The manager's own invariants are the business of ``Simulation``; here they are those of who holds leases:
///
/// 1. Nobody uses a credential whose time at its broker or target is over, unless told of it.
/// 2. What a holder counts on is never more than broker and target keep.
/// 3. No more than two credentials of one request are live: the old and the new one.
/// 4. Nothing below a parent is live once its revocation was reported complete.
/// 5. What is given back is ended in one way, or is seen as tried or stuck.
/// 6. After faults stop, every wanted credential works, and nothing else is live.
/// 7. No storm: of renewals for one lease, of issues for one request, nor an issue that nothing calls for.
/// 8. Generations grow, and the events of a lease are a path of its states.
package struct HolderSimulation: Sendable {
    package var seed: UInt64
    package var operations: Int
    /// The defect to look for, if any.
    package var mutation: HolderMutation?

    package init(seed: UInt64, operations: Int = 150, mutation: HolderMutation? = nil) {
        self.seed = seed
        self.operations = operations
        self.mutation = mutation
    }

    /// Something that must not be.
    package struct Violation: Sendable, CustomStringConvertible {
        /// The number of the invariant; 0 when the run itself went wrong.
        package let invariant: Int
        package let at: Duration
        package let message: String

        package var description: String { "holder invariant \(invariant) at \(at): \(message)" }
    }

    /// What was broken, if anything, and how often things happened.
    package struct Report: Sendable {
        package var violations: [Violation] = []
        package var counts: [String: Int] = [:]
        package var traceHash: UInt64 = 0
    }

    /// Runs to the end, or to the first thing that is broken.
    package func run() -> Report {
        let world = HolderWorld(seed: seed, mutation: mutation)
        let operations = operations
        do {
            try world.executor.drive(timeLimit: .seconds(86_400 * 5)) { try await world.live(operations) }
        } catch {
            world.violate(0, "the run came to no end: \(error)")
        }
        return Report(violations: world.violations, counts: world.counts, traceHash: world.executor.traceHash)
    }
}
