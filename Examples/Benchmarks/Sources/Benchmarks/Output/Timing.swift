// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How long something takes, in nanoseconds.
func nanoseconds(_ work: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await work()
    return (ContinuousClock.now - start).nanoseconds
}

extension Duration {
    /// The duration as a number of nanoseconds.
    var nanoseconds: Double { self / .nanoseconds(1) }
}

/// The middle one of several numbers.
func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
}

/// A size for people: `10 k`, `1 M`.
func text(of size: Int) -> String {
    switch size {
    case 1_000_000...: "\(size / 1_000_000) M"
    case 1_000...: "\(size / 1_000) k"
    default: "\(size)"
    }
}
