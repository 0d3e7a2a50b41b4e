// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How a backend of IAM users works.
public struct IAMUserOptions: Hashable, Sendable {
    /// What users' names begin with.
    public var namePrefix: String
    /// How long after its lease's end a user ends by itself; nil for never.
    ///
    /// The end is a policy of the user that denies everything from then on. It takes about 130 of the 2 048 characters that a
    /// user's own policies may have. Without it, a key whose lease was lost works for ever.
    public var endSlack: Duration?
    /// How long after a user was made AWS may still not know of it.
    public var visibilityTime: Duration
    /// Whether and how a new key is tried before it is handed out.
    public var readiness: Readiness?
    /// How many calls for one user are under way at once.
    public var concurrency: Int

    /// Makes options.
    public init(
        namePrefix: String = "leasekit",
        endSlack: Duration? = .seconds(60),
        visibilityTime: Duration = .seconds(60),
        readiness: Readiness? = nil,
        concurrency: Int = 4
    ) {
        self.namePrefix = namePrefix
        self.endSlack = endSlack
        self.visibilityTime = visibilityTime
        self.readiness = readiness
        self.concurrency = max(1, concurrency)
    }

    /// A new key is known in one place of AWS before it is in all: how often it must have worked.
    ///
    /// It makes trouble rarer and does not rule it out. A holder that retries for some seconds needs it no more.
    public struct Readiness: Hashable, Sendable {
        /// How often in a row.
        public var successes: Int
        /// How long between two tries.
        public var interval: Duration

        /// Makes a rule.
        public init(successes: Int = 3, interval: Duration = .seconds(1)) {
            self.successes = max(1, successes)
            self.interval = interval
        }
    }
}
