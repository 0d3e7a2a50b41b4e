// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How much the process grows by each live lease: the resident set after and before, divided by their number.
///
/// Only the largest size, and before every other group: what was freed before would be used again and not be seen.
func measureMemory(_ scale: Scale) async throws -> [Measurement] {
    let size = scale.largest
    let before = residentBytes()
    let world = try await World()
    for number in 0..<size { _ = try await world.mount.issue(number) }
    let grown = residentBytes() - before
    let raw = rawBytes(size)
    let live = try await world.manager.counts().total
    return [
        Measurement(
            "memory a lease at \(text(of: size))",
            Double(grown) / Double(live),
            "bytes",
            baseline: raw,
            target: scale.hasTargets(at: size) ? 360 : nil
        )
    ]
}

/// The same for the dictionary, while the leases are still there.
private func rawBytes(_ size: Int) -> Double {
    let before = residentBytes()
    let table = RawTable()
    for number in 0..<size { _ = table.insert(number, expiresAt: 0) }
    let grown = residentBytes() - before
    return withExtendedLifetime(table) { Double(grown) / Double(size) }
}
