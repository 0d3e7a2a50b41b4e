// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How soon a failed revocation is tried again.
///
/// It is tried for ever.
///
/// ```
/// failures   1      2      3      4    …                     ∞
/// wait up to base   2×     4×     8×   …  cap   cap   cap    cap     (uniform between nothing and that)
/// ```
public struct RetryPolicy: Hashable, Sendable {
    /// The longest wait after the first failure.
    public var base: Duration
    /// The longest wait after any failure.
    public var cap: Duration
    /// The wait after a failure that needs a person, give or take a tenth.
    public var stuckInterval: Duration

    /// Makes a policy.
    public init(
        base: Duration = .seconds(2),
        cap: Duration = .seconds(600),
        stuckInterval: Duration = .seconds(3_600)
    ) {
        self.base = base
        self.cap = cap
        self.stuckInterval = stuckInterval
    }

    /// A century: longer than anybody waits, and far from what a duration can hold.
    private static let longest = Duration.seconds(100 * 365 * 86_400)

    /// How long to wait after the `failures`th failure; `jitter` is from 0 up to, but not including, 1.
    public func wait(afterFailures failures: Int, jitter: Double, isStuck: Bool, atLeast: Duration? = nil) -> Duration {
        let wait: Duration
        if isStuck {
            wait = min(stuckInterval, Self.longest) * (0.9 + 0.2 * jitter)
        } else {
            // Both the exponent and the product are held below what a duration can hold.
            let doublings = min(max(failures, 1) - 1, 40)
            let (base, cap) = (min(base, Self.longest), min(cap, Self.longest))
            let ceiling = base >= cap ? cap : base * min(Double(1 << doublings), cap / base)
            wait = max(.milliseconds(10), ceiling * jitter)
        }
        return max(wait, atLeast ?? .zero)
    }
}
