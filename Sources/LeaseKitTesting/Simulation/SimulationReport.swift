// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a simulated run did and found.
public struct SimulationReport: Sendable {
    /// The seed of the run.
    public internal(set) var seed: UInt64
    /// Equal for equal runs.
    public internal(set) var traceHash: UInt64 = 0
    /// What was broken; the run ends at the first one.
    public internal(set) var violations: [InvariantViolation] = []
    /// How often each kind of thing happened.
    public internal(set) var counts: [String: Int] = [:]
    /// Every operation, if the run kept a trace.
    public internal(set) var trace: [String] = []

    /// Kept, because what still waits in it belongs to its executor.
    var world: SimulatedWorld?
    /// Whether nothing was broken.
    public var isClean: Bool { violations.isEmpty }
}
