// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What an outage of a broker costs its holders: many leases under the real scheduler, in virtual time.
///
/// Each trial is one lease whose broker does not answer from some moment on, for a while; the moments are spread evenly over
/// the time between two renewals. A lease is lost when its end passes before a renewal comes through.
///
/// ```swift
/// let result = try OutageStudy(outage: .seconds(600), trials: 100).run()
/// print("\(result.lost) lost, \(result.meanAttempts) attempts")
/// ```
///
/// It blocks its thread, so call it from one of your own.
public struct OutageStudy: Sendable {
    /// How long the broker does not answer.
    public var outage: Duration
    /// How many leases are tried.
    public var trials: Int
    /// How long a lease runs.
    public var ttl: Duration
    /// When leases are renewed.
    public var policy: RenewalPolicy
    /// What decides everything random.
    public var seed: UInt64

    /// Makes a study, without running it.
    public init(
        outage: Duration,
        trials: Int = 1_000,
        ttl: Duration = .seconds(3_600),
        policy: RenewalPolicy = RenewalPolicy(),
        seed: UInt64 = 1
    ) {
        self.outage = outage
        self.trials = trials
        self.ttl = ttl
        self.policy = policy
        self.seed = seed
    }

    /// What came of it.
    public struct Result: Sendable, Hashable {
        /// Which part of the leases was lost.
        public let lost: Double
        /// How many attempts to renew one failed on average.
        public let meanAttempts: Double
        /// How many failed at most.
        public let mostAttempts: Int
    }

    /// Runs all trials in one virtual time, under one scheduler.
    public func run() throws -> Result {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: seed, time: time, maximumPicks: .max)
        let source = StudySource(time: time, ttl: ttl, outage: outage, trials: trials)
        var configuration = RenewalScheduler.Configuration(rate: nil, concurrency: .max, entropy: .seeded(seed))
        configuration.executor = executor
        let scheduler = RenewalScheduler(configuration: configuration, time: time)
        let route = LeaseRoute<Void, Void>(source, policy: policy)
        try executor.drive(timeLimit: .seconds(86_400 * 30)) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                for number in 0..<trials {
                    let id = LeaseID(high: 0, low: UInt64(number))
                    scheduler.keep(id, validUntil: ttl, through: route, spread: false) { news in
                        if case .stopped(.expired) = news { source.lose(number) }
                    }
                }
                // Until the last outage is over, and the lease after it.
                try await time.sleep(for: source.lastOutage + outage + ttl)
                scheduler.beginShutdown()
                try await group.waitForAll()
            }
        }
        return source.result
    }
}

/// A broker that does not answer for a while, for each lease at a time of its own.
private final class StudySource: LeaseSource {
    let time: any LeaseTime
    private let ttl: Duration
    private let outage: Duration
    private let trials: Int
    private let failures: Locked<[Int]>
    private let losses: Locked<[Bool]>

    init(time: any LeaseTime, ttl: Duration, outage: Duration, trials: Int) {
        self.time = time
        self.ttl = ttl
        self.outage = outage
        self.trials = trials
        failures = Locked([Int](repeating: 0, count: trials))
        losses = Locked([Bool](repeating: false, count: trials))
    }

    /// Two thirds of the time lie between two renewals; by the third one the leases are well mixed.
    private func beginning(_ number: Int) -> Duration {
        ttl * 2 / 3 * (2 + (Double(number) + 0.5) / Double(trials))
    }

    var lastOutage: Duration { ttl * 2 }

    func lose(_ number: Int) { losses.withLock { $0[number] = true } }

    var result: OutageStudy.Result {
        let counts = failures.withLock { $0 }
        return OutageStudy.Result(
            lost: Double(losses.withLock { $0.count { $0 } }) / Double(max(1, trials)),
            meanAttempts: Double(counts.reduce(0, +)) / Double(max(1, trials)),
            mostAttempts: counts.max() ?? 0
        )
    }

    func issue(_ request: Void, _ options: IssueOptions) async throws -> Lease<Void> {
        throw LeaseError(.abilityMissing, "a study only renews")
    }

    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        let number = Int(id.low)
        let now = time.read()
        let begin = beginning(number)
        if now.continuous >= begin && now.continuous < begin + outage {
            failures.withLock { $0[number] += 1 }
            // Nobody answers; the attempt runs into its timeout.
            try await time.sleep(until: now.continuous + ttl * 10)
        }
        return RenewalOutcome(
            expiresAt: now.wall + ttl,
            validUntil: now.continuous + ttl,
            granted: ttl,
            asked: nil,
            boundBy: .role,
            leftToMaximum: nil,
            warnings: []
        )
    }

    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        RevocationReport(order: RevocationOrderID(rawValue: 1))
    }
}
