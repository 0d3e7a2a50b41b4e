// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// When a lease is renewed, and how a failed renewal is tried again.
///
/// ```
/// granted                          2/3 ± jitter                          true end
///    ├──────────────────────────────────┼─────┬─────┬────┬───┬──┬─┬┬┬┬┬┬──────┤
///    │           nothing to do          │  attempts: 1 s, 2 s, 4 s … up to    │
///    │                                  │  min(60 s, a quarter of what is     │
///    │                                  │  left), never less than a second    │
/// ```
///
/// Attempts go on until the lease truly ends. A failed renewal never makes a new credential by itself.
public struct RenewalPolicy: Sendable, Hashable {
    /// Which part of the time that was granted passes before the lease is renewed.
    public var renewAt: Double
    /// How much earlier or later than that, and than a retry's time: 0.1 spreads over a tenth of it to either side.
    public var jitter: Double
    /// How long one attempt may take.
    public var attemptTimeout: Duration
    /// The wait after the first failure; it doubles with each further one.
    public var retryBase: Duration
    /// The longest wait between two attempts.
    public var retryCap: Duration
    /// The longest wait between two attempts, as a part of what is left of the lease.
    public var retryShare: Double
    /// After how many failures in a row the next broker is asked.
    public var failoverAfter: Int
    /// How long before its end a lease that was not renewed counts as in danger.
    ///
    /// Held at a quarter of what was granted.
    public var mandatoryWindow: Duration
    /// How far the clock of a broker on another machine may run wrong, as a part of the time: 0.001 is 86 s a day.
    ///
    /// The holder counts on that much less of each lease.
    public var clockError: Double
    /// How much each renewal asks for; nil takes the role's default.
    public var increment: Duration?

    /// Makes a policy.
    public init(
        renewAt: Double = 2.0 / 3.0,
        jitter: Double = 0.1,
        attemptTimeout: Duration = .seconds(10),
        retryBase: Duration = .seconds(1),
        retryCap: Duration = .seconds(60),
        retryShare: Double = 0.25,
        failoverAfter: Int = 2,
        mandatoryWindow: Duration = .seconds(60),
        clockError: Double = 0,
        increment: Duration? = nil
    ) {
        self.renewAt = renewAt
        self.jitter = jitter
        self.attemptTimeout = attemptTimeout
        self.retryBase = retryBase
        self.retryCap = retryCap
        self.retryShare = retryShare
        self.failoverAfter = failoverAfter
        self.mandatoryWindow = mandatoryWindow
        self.clockError = clockError
        self.increment = increment
    }
}

/// When a backend or broker would like a lease to be renewed, counted from the moment of its answer.
///
/// A random point in it is taken instead of the policy's own.
public struct RenewalWindow: Sendable, Hashable {
    /// Not before.
    public var earliest: Duration
    /// Not after.
    public var latest: Duration

    /// Makes a window.
    public init(earliest: Duration, latest: Duration) {
        self.earliest = earliest
        self.latest = latest
    }
}
