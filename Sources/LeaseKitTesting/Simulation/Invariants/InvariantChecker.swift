// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Holds a simulated run against the invariants of LeaseKit, after every step.
///
/// It compares four sources that know nothing of each other: what the target holds, what the stores wrote (seen change by
/// change by ``AuditedStore``), what the managers published, and what callers were told. The groups are in files of their own:
///
/// - records and credentials: 1, 6, 11
/// - orders and parents: 3
/// - changes of a record: 4, 5, 8, 10
/// - holders: 9
/// - secrets: 7
/// - convergence: 2
/// - promptness: 2 and 6, while the run goes on
///
/// Unchecked, because a simulated run has one thread.
final class InvariantChecker: @unchecked Sendable {
    let target: InMemoryTarget
    let plans: [[MountPlan]]
    var leases: [LeaseID: TrackedLease] = [:]
    /// Leases with a record, by deployment.
    var live: [Set<LeaseID>]
    var needsRefresh: [Bool]
    var lastNow: [LeaseInstant]
    var requests: [[String: LeaseID]]
    var holders: [LeaseID: Holder] = [:]
    var violations: [InvariantViolation] = []
    var strangers: [String: UInt64] = [:]
    var seenHistory = 0
    /// How many credentials were asked for in all, and how many were written down.
    var issuesAsked = 0
    var issuesWritten = 0
    /// How old leases may become, as each process has it.
    var limits: [LimitHistory]
    /// When something last stood still or failed, by deployment and the true clock.
    var disturbedAt: [Duration]
    /// When something last happened to the processes of a deployment.
    var unsettledAt: [Duration]
    /// Processes that stand still.
    var paused: [Set<String>]
    /// When the target last did something else than it was asked.
    var targetTroubledAt = Duration.zero
    var lastFingerprint = ""
    /// When a machine last had a new boot.
    var bootedAt: [Duration]
    /// Whether the way to the store fails.
    var isStoreFailing: [Bool]
    /// Every order that a store took, and until when it lets parents wait, by the target's clock.
    var placed: [RevocationOrderID: LeaseInstant] = [:]
    /// Who hangs on whom, from the beginning on.
    var children: [LeaseID: [LeaseID]] = [:]
    /// Changes and orders of which nobody knows yet whether the store has them, by deployment.
    var doubts: [[Doubt]]
    var doubtfulOrders: [[RevocationOrderID]]
    /// Which deployment a mark at the target belongs to: a new one with each process where leases go with it.
    var homes: [String: Int] = [:]
    let count: (String) -> Void

    /// What a caller was told.
    struct Holder: Sendable {
        let credential: FakeCredential
        let process: SimulatedProcess
        var validUntil: Duration
        /// Whether the record was shortened since, so that what the caller was told does not count until it is told anew.
        var isOutdated = false
    }

    init(
        target: InMemoryTarget,
        plans: [[MountPlan]],
        count: @escaping (String) -> Void
    ) {
        self.target = target
        self.plans = plans
        self.count = count
        live = plans.map { _ in [] }
        needsRefresh = plans.map { _ in false }
        lastNow = plans.map { _ in .distantPast }
        requests = plans.map { _ in [:] }
        disturbedAt = plans.map { _ in .zero }
        unsettledAt = plans.map { _ in .zero }
        paused = plans.map { _ in [] }
        bootedAt = plans.map { _ in .seconds(-1) }
        isStoreFailing = plans.map { _ in false }
        doubts = plans.map { _ in [] }
        doubtfulOrders = plans.map { _ in [] }
        limits = plans.map { LimitHistory($0) }
    }

    func recorded(in deployment: Int) -> [LeaseID] { live[deployment].sorted() }

    func violate(_ invariant: Int, _ lease: TrackedLease?, _ message: @autoclosure () -> String) {
        guard violations.count < 5 else { return }
        var trail = lease?.lines ?? []
        if let lease, !lease.name.isEmpty {
            let history = target.history.filter { $0.name == lease.name }
            trail += history.suffix(20).map {
                "target \($0.at): \($0.operation.rawValue) \($0.action)\($0.isLate ? " late" : "")"
            }
            let principal = target.principal(lease.name)
            trail.append(
                "target now \(target.time.read().wall): \(principal.map { "ends \($0.endsAt.map { "\($0)" } ?? "never")" } ?? "nothing")"
            )
        }
        violations.append(
            InvariantViolation(invariant: invariant, lease: lease?.id, message: message(), trail: trail)
        )
    }

    /// Everything that is checked after each step.
    func check() {
        noteTargetHealth()
        checkHistory()
        checkCredentials()
        checkHolders()
    }

    func plan(of path: String, in deployment: Int) -> MountPlan? {
        plans[deployment].first { LeasePath.lies(path, under: $0.path) }
    }

    /// Whether a credential of this name can be used at any target.
    func isLive(_ name: String) -> Bool {
        let now = target.time.read().wall
        return target.settled { state in
            state.tables.values.contains { $0.principals[name].map { $0.mark != nil && $0.isLive(at: now) } ?? false }
        }
    }

    /// The names that one target holds.
    func names(heldBy fingerprint: String?) -> Set<String> {
        target.settled { Set($0.tables[fingerprint ?? ""]?.principals.keys.map { $0 } ?? []) }
    }

    func excuseAll(in deployment: Int, _ why: String, where condition: (TrackedLease) -> Bool) {
        for lease in leases.values where lease.deployment == deployment && condition(lease) {
            lease.excuse = lease.excuse ?? why
            lease.note("excused: \(why)")
        }
    }
}
