// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// The manager's settings.
    public struct Configuration: Sendable {
        /// Whose leases these are.
        ///
        /// Nil takes the store's own random name; set it for a store that several deployments share.
        public var deployment: String?
        /// The TTL limits of everything, unless a mount has its own.
        public var limits: TTLLimits
        /// How TTLs are calculated: exactly, or as Vault does.
        public var ttlRules: TTLRuleSet
        /// How long `run()` may take to stop: calls in flight finish, and over a volatile store everything is revoked.
        ///
        /// With zero nothing is waited for, not even the closing of the store.
        public var shutdownBudget: Duration
        /// How long a call that needs `run()` waits for it to be started.
        public var startTimeout: Duration
        /// How long ``LeaseManager/revoke(_:_:)`` waits for its report.
        public var revocationWait: Duration
        /// How long a parent waits at most for children that make progress before it is ended without them.
        public var patience: Duration
        /// How often the time is written down, orders of other managers are looked at, and the clocks are compared.
        public var observationInterval: Duration
        /// Where random bits come from.
        public var entropy: LeaseEntropy
        /// Who is told of every event, synchronously.
        public var observers: [any LeaseObserver]
        /// Where the background work runs.
        ///
        /// Nil for the default; a test's seeded executor sees every job.
        public var executor: (any TaskExecutor)?

        /// Makes settings.
        public init(
            deployment: String? = nil,
            limits: TTLLimits = .systemDefault,
            ttlRules: TTLRuleSet = .exact,
            shutdownBudget: Duration = .seconds(10),
            startTimeout: Duration = .seconds(5),
            revocationWait: Duration = .seconds(30),
            patience: Duration = .seconds(30),
            observationInterval: Duration = .seconds(10),
            entropy: LeaseEntropy = .system,
            observers: [any LeaseObserver] = [],
            executor: (any TaskExecutor)? = nil
        ) {
            self.deployment = deployment
            self.limits = limits
            self.ttlRules = ttlRules
            self.shutdownBudget = shutdownBudget
            self.startTimeout = startTimeout
            self.revocationWait = revocationWait
            self.patience = patience
            self.observationInterval = observationInterval
            self.entropy = entropy
            self.observers = observers
            self.executor = executor
        }
    }
}
