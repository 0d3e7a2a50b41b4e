// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How much the process grows by each live lease: the resident set after and before, divided by their number.
func measureMemory(_ scale: Scale) async throws -> [Measurement] {
    var measurements: [Measurement] = []
    for size in scale.sizes {
        let raw = rawBytes(size)
        let before = residentBytes()
        let world = try await World()
        for number in 0..<size { _ = try await world.mount.issue(number) }
        let grown = residentBytes() - before
        let live = try await world.manager.counts().total
        measurements.append(
            Measurement(
                "memory a lease at \(text(of: size))",
                Double(grown) / Double(live),
                "bytes",
                baseline: raw,
                target: scale.hasTargets(at: size) ? 360 : nil
            )
        )
    }
    return measurements
}

/// The same for the dictionary.
private func rawBytes(_ size: Int) -> Double {
    let before = residentBytes()
    let table = RawTable()
    for number in 0..<size { _ = table.insert(number, expiresAt: 0) }
    let grown = residentBytes() - before
    return withExtendedLifetime(table) { Double(grown) / Double(size) }
}
