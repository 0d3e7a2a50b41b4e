// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A mount's own limits.
///
/// All of them can be changed while it is in use.
public struct MountSettings: Hashable, Sendable {
    /// The mount's TTL limits; they take the place of the manager's.
    public var limits: TTLLimits
    /// How many leases may be live.
    public var quotas: LeaseQuotas
    /// How many calls to issue and renew may run at once.
    public var concurrency: Int
    /// How many calls to revoke may run at once.
    ///
    /// Apart from ``concurrency``, so that neither starves the other.
    public var revocationConcurrency: Int
    /// How many calls may wait for their turn before more are turned away.
    public var waitingLimit: Int
    /// How many calls a second are made, all kinds together.
    public var rate: RateLimit?
    /// How long an issue may take.
    public var issueTimeout: Duration
    /// How long a renewal may take.
    public var renewTimeout: Duration
    /// How long one attempt to revoke may take.
    public var revokeTimeout: Duration
    /// How soon a failed revocation is tried again.
    public var retry: RetryPolicy
    /// How often a target that is down is probed.
    public var probeInterval: Duration
    /// Accepts that a crash leaks credentials: the backend's do not end by themselves, and the store forgets them.
    public var acceptsLeaksOnCrash: Bool

    /// Makes settings; every default suits a database on the same network.
    public init(
        limits: TTLLimits = TTLLimits(),
        quotas: LeaseQuotas = .unlimited,
        concurrency: Int = 16,
        revocationConcurrency: Int = 16,
        waitingLimit: Int = 1_000,
        rate: RateLimit? = nil,
        issueTimeout: Duration = .seconds(30),
        renewTimeout: Duration = .seconds(10),
        revokeTimeout: Duration = .seconds(30),
        retry: RetryPolicy = RetryPolicy(),
        probeInterval: Duration = .seconds(3),
        acceptsLeaksOnCrash: Bool = false
    ) {
        self.limits = limits
        self.quotas = quotas
        self.concurrency = concurrency
        self.revocationConcurrency = revocationConcurrency
        self.waitingLimit = waitingLimit
        self.rate = rate
        self.issueTimeout = issueTimeout
        self.renewTimeout = renewTimeout
        self.revokeTimeout = revokeTimeout
        self.retry = retry
        self.probeInterval = probeInterval
        self.acceptsLeaksOnCrash = acceptsLeaksOnCrash
    }

    /// Checks that the numbers make sense together.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/invalidLimits``.
    func validate() throws(LeaseError) {
        func require(_ holds: Bool, _ sentence: String) throws(LeaseError) {
            if !holds { throw LeaseError(.invalidLimits, sentence) }
        }
        try require(concurrency > 0, "concurrency is \(concurrency); allow at least one call at a time")
        try require(
            revocationConcurrency > 0,
            "revocationConcurrency is \(revocationConcurrency); allow at least one call at a time"
        )
        try require(waitingLimit >= 0, "waitingLimit is \(waitingLimit); use 0 to let nobody wait")
        let callsPerSecond = rate?.callsPerSecond ?? 1
        try require(
            callsPerSecond >= RateLimit.slowest && callsPerSecond <= RateLimit.fastest,
            "rate.callsPerSecond is \(callsPerSecond); use a number from \(RateLimit.slowest) to \(RateLimit.fastest), or nil "
                + "for no limit"
        )
        try require((rate?.burst ?? 1) > 0, "rate.burst must be at least 1")
        for (name, timeout) in [
            ("issueTimeout", issueTimeout), ("renewTimeout", renewTimeout), ("revokeTimeout", revokeTimeout),
            ("probeInterval", probeInterval), ("retry.base", retry.base), ("retry.cap", retry.cap),
            ("retry.stuckInterval", retry.stuckInterval),
        ] {
            try require(timeout > .zero, "\(name) must be above zero")
        }
        for (name, quota) in [
            ("perMount", quotas.perMount), ("perPath", quotas.perPath), ("perParent", quotas.perParent),
            ("perOwner", quotas.perOwner),
        ] {
            try require((quota ?? 0) >= 0, "quotas.\(name) is negative; use nil for no limit")
        }
    }
}
