// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension RenewalScheduler {
    /// The scheduler's settings.
    public struct Configuration: Sendable {
        /// How many renewals a second are begun at most, and how many at once.
        ///
        /// The bound that keeps a restart from falling on a broker all at once. Nil for no bound.
        public var rate: RateLimit?
        /// How many renewals may be under way at once.
        ///
        /// One that has run into its timeout does not count any more, so that those that hang do not hold up others.
        public var concurrency: Int
        /// How long ``RenewalScheduler/run()`` may take to stop: the credentials that rotate are drained and revoked in it.
        public var shutdownBudget: Duration
        /// How long a call that needs ``RenewalScheduler/run()`` waits for it to be started.
        public var startTimeout: Duration
        /// How much later than its time a renewal may begin before that is an event: late timers, a starved process.
        public var lateness: Duration
        /// Where random bits come from.
        public var entropy: LeaseEntropy
        /// Who is told of every event, synchronously.
        public var observers: [any LeaseObserver]
        /// Where the background work runs; nil for the default.
        public var executor: (any TaskExecutor)?

        /// Makes settings.
        public init(
            rate: RateLimit? = RateLimit(callsPerSecond: 1_000, burst: 100),
            concurrency: Int = 256,
            shutdownBudget: Duration = .seconds(10),
            startTimeout: Duration = .seconds(5),
            lateness: Duration = .seconds(5),
            entropy: LeaseEntropy = .system,
            observers: [any LeaseObserver] = [],
            executor: (any TaskExecutor)? = nil
        ) {
            self.rate = rate
            self.concurrency = concurrency
            self.shutdownBudget = shutdownBudget
            self.startTimeout = startTimeout
            self.lateness = lateness
            self.entropy = entropy
            self.observers = observers
            self.executor = executor
        }

        /// Checks that the numbers make sense, when ``RenewalScheduler/run()`` begins.
        ///
        /// - Throws: ``LeaseError`` with code ``LeaseError/Code/invalidLimits``, naming the field.
        func validate() throws(LeaseError) {
            func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(LeaseError) {
                if !holds { throw LeaseError(.invalidLimits, "the scheduler's configuration: " + sentence()) }
            }
            let callsPerSecond = rate?.callsPerSecond ?? 1
            try require(
                callsPerSecond >= RateLimit.slowest && callsPerSecond <= RateLimit.fastest,
                "rate.callsPerSecond is \(callsPerSecond); use a number from \(RateLimit.slowest) to \(RateLimit.fastest), "
                    + "or nil for no limit"
            )
            try require((rate?.burst ?? 1) > 0, "rate.burst must be at least 1")
            try require(concurrency > 0, "concurrency is \(concurrency); allow at least one renewal at a time")
            try require(shutdownBudget >= .zero, "shutdownBudget is \(shutdownBudget); use zero or more")
            try require(startTimeout > .zero, "startTimeout is \(startTimeout); use more than zero")
        }
    }
}
