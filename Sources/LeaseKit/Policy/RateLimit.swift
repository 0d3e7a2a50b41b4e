// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How many backend calls a second a mount may make, and how many at once after a pause.
public struct RateLimit: Hashable, Sendable {
    /// Calls a second in the long run.
    public var callsPerSecond: Double
    /// Calls at once after a pause.
    public var burst: Int

    /// Makes a limit.
    public init(callsPerSecond: Double, burst: Int = 1) {
        self.callsPerSecond = callsPerSecond
        self.burst = burst
    }

    /// One call in eleven days: what is slower is a mistake.
    static let slowest = 0.000_001
    /// A call each nanosecond, which is no limit at all.
    static let fastest = 1_000_000_000.0

    /// The time between two calls in the long run, whatever the number is.
    var interval: Duration { .seconds(1) / min(max(callsPerSecond, Self.slowest), Self.fastest) }
    /// The calls at once, held at what can be reckoned with.
    var calls: Int { min(max(1, burst), 1_000_000_000) }
}

/// Keeps a ``RateLimit`` with one number: the time at which the bucket would be full again.
struct RateLimiter: Sendable {
    private var fullAt = LeaseInstant.distantPast

    /// Takes one call if there is room; else answers how long to wait.
    mutating func take(_ limit: RateLimit?, at now: LeaseInstant) -> Duration? {
        guard let limit, limit.callsPerSecond > 0 else { return nil }
        let interval = limit.interval
        let start = max(fullAt, now)
        let wait = now.duration(to: start) - interval * (limit.calls - 1)
        if wait > .zero { return wait }
        fullAt = start + interval
        return nil
    }

    /// How many calls there is room for.
    func room(_ limit: RateLimit?, at now: LeaseInstant) -> Int {
        guard let limit, limit.callsPerSecond > 0 else { return .max }
        let interval = limit.interval
        let used = max(.zero, now.duration(to: fullAt))
        let free = interval * limit.calls - used
        return free < .zero ? 0 : Int(min(free / interval, 1_000_000))
    }

    /// When there is room for one more.
    func nextRoom(_ limit: RateLimit?, at now: LeaseInstant) -> LeaseInstant {
        guard let limit, limit.callsPerSecond > 0 else { return now }
        let interval = limit.interval
        return max(now, fullAt - interval * (limit.calls - 1))
    }
}
