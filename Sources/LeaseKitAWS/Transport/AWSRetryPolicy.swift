// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How a call deals with what may work next time.
public struct AWSRetryPolicy: Hashable, Sendable {
    /// How often a call is tried altogether.
    public var attempts: Int
    /// The longest wait before the first retry; it doubles with each one, and the wait is anything up to it.
    public var base: Duration
    /// The longest wait before any retry.
    public var cap: Duration
    /// How long one try may take.
    public var attemptTimeout: Duration

    /// Makes a policy.
    public init(
        attempts: Int = 5,
        base: Duration = .milliseconds(250),
        cap: Duration = .seconds(20),
        attemptTimeout: Duration = .seconds(15)
    ) {
        self.attempts = max(1, attempts)
        self.base = base
        self.cap = cap
        self.attemptTimeout = attemptTimeout
    }

    /// The wait before retry `number` (from 1), with full jitter.
    func wait(before number: Int, jitter: Double) -> Duration {
        min(base * Double(1 << min(max(number, 1) - 1, 16)), cap) * jitter
    }
}
