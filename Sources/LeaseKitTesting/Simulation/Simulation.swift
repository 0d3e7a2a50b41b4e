// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A whole world of brokers in virtual time: random operations, faults and crashes from a seed, checked after every step.
///
/// Two deployments work on one target; one of them may have several managers on a shared store, on machines whose clocks
/// are apart. First everything goes wrong; then the faults stop, and within two hours of virtual time everything has to
/// come right.
///
/// ```swift
/// let report = Simulation(seed: 42, operations: 100).run()
/// print(report.violations)
/// ```
///
/// The same seed gives the same run, on every machine. It blocks its thread, so call it from one of your own.
public struct Simulation: Sendable {
    /// What decides everything.
    public var seed: UInt64
    /// How many operations are made while things go wrong.
    public var operations: Int
    /// Whether the report tells of every operation.
    public var keepsTrace: Bool
    /// What the deployments keep their leases on.
    public var storage: SimulatedStorage
    package var mutation: Mutation?
    package var scene: Scene?

    /// Makes a run, without running it.
    public init(
        seed: UInt64,
        operations: Int = 500,
        keepsTrace: Bool = false,
        storage: SimulatedStorage = .memory
    ) {
        self.storage = storage
        self.seed = seed
        self.operations = operations
        self.keepsTrace = keepsTrace
    }

    /// Makes a run with a scene that is played again and again, and with a defect in it.
    package init(seed: UInt64, operations: Int = 500, scene: Scene?, mutation: Mutation? = nil) {
        self.init(seed: seed, operations: operations)
        self.scene = scene
        self.mutation = mutation
    }

    /// Runs to the end, or to the first thing that is broken.
    public func run() -> SimulationReport {
        var report = SimulationReport(seed: seed)
        let operations = operations
        let world: SimulatedWorld
        do {
            world = try SimulatedWorld(
                seed: seed,
                storage: storage,
                mutation: mutation,
                scene: scene,
                keepsTrace: keepsTrace
            )
        } catch {
            let message = "no disk could be made: \(error)"
            report.violations = [InvariantViolation(invariant: 0, lease: nil, message: message, trail: [])]
            return report
        }
        do {
            try world.executor.drive(timeLimit: .seconds(86_400 * 30)) { await world.live(operations: operations) }
        } catch {
            if world.checker.violations.isEmpty {
                world.checker.violate(0, nil, "the run came to no end: \(error); \(world.unfinished)")
            }
        }
        report.traceHash = world.executor.traceHash
        report.world = world
        report.violations = world.checker.violations
        report.counts = world.counts.values
        report.trace = world.trace
        return report
    }
}
