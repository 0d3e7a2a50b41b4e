// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The calculation: pure, and held within bounds whatever the numbers of the policy are.
extension RenewalPolicy {
    /// The least wait between two attempts: there is no hot loop.
    static let leastWait = Duration.seconds(1)
    /// Longer than anybody keeps a lease, and far from what a duration can hold.
    private static let longest = Duration.seconds(100 * 365 * 86_400)

    /// When a lease that was granted from `start` to `end` is renewed first.
    ///
    /// - Parameter random: From 0 up to, but not including, 1.
    func firstAttempt(
        from start: Duration,
        until end: Duration,
        window: RenewalWindow? = nil,
        random: Double
    ) -> Duration {
        let granted = min(max(.zero, end - start), Self.longest)
        if let window {
            let earliest = min(max(.zero, window.earliest), granted)
            let latest = min(max(earliest, window.latest), granted)
            return start + earliest + (latest - earliest) * random
        }
        let spread = 1 + held(jitter, 0, 0.5) * (2 * random - 1)
        return start + granted * held(held(renewAt, 0.05, 0.95) * spread, 0.01, 0.98)
    }

    /// How long to wait after the `failures`th failure in a row, when `left` is left of the lease; nil when nothing is left.
    ///
    /// - Parameters:
    ///   - isRefused: Whether an answer was given, and it was no: asked again, but slowly.
    ///   - retryAfter: What the other side asked for.
    func retry(
        afterFailures failures: Int,
        left: Duration,
        isRefused: Bool = false,
        retryAfter: Duration? = nil,
        random: Double
    ) -> Duration? {
        if left <= .zero { return nil }
        let ceiling = max(Self.leastWait, min(held(retryCap), min(left, Self.longest) * held(retryShare, 0.01, 1)))
        let doublings = isRefused ? 40 : min(max(failures, 1) - 1, 40)
        let base = max(Self.leastWait, held(retryBase))
        // Held below the ceiling before it is multiplied out, so that no number of failures overflows.
        let doubled = base * min(Double(1 << doublings), max(1, ceiling / base))
        let jittered = doubled * (1 + held(jitter, 0, 0.5) * (2 * random - 1))
        let wait = max(Self.leastWait, min(jittered, ceiling))
        return max(wait, min(retryAfter ?? .zero, ceiling))
    }

    /// The wait when there is nothing left that could end: when nothing valid is held.
    func retryWithoutLease(afterFailures failures: Int, isRefused: Bool, random: Double) -> Duration {
        retry(afterFailures: failures, left: Self.longest, isRefused: isRefused, random: random) ?? Self.leastWait
    }

    /// How long before the end of a lease of this length it is in danger.
    func danger(granted: Duration) -> Duration {
        max(.zero, min(mandatoryWindow, granted / 4))
    }

    /// The timeout of one attempt, when `left` is left of the lease.
    func timeout(left: Duration) -> Duration {
        max(.milliseconds(1), min(held(attemptTimeout), left))
    }

    /// What the holder may count on of an end that somebody else's clock named.
    func trusted(until end: Duration, askedAt: Duration, granted: Duration) -> Duration {
        // Validity runs from the moment of asking, not from that of the answer.
        let end = min(end, askedAt + min(granted, Self.longest))
        return end - min(max(.zero, end - askedAt), Self.longest) * held(clockError, 0, 0.5)
    }

    /// Which broker the attempt after `failures` failures in a row goes to.
    func broker(home: Int, failures: Int, count: Int) -> Int {
        count <= 1 ? 0 : (home + failures / max(1, failoverAfter)) % count
    }

    private func held(_ value: Double, _ least: Double, _ most: Double) -> Double {
        value.isNaN ? least : min(max(value, least), most)
    }

    private func held(_ duration: Duration) -> Duration { min(max(.zero, duration), Self.longest) }
}
