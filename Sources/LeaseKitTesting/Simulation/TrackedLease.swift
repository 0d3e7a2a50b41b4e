// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What the simulation knows of one lease, from its own records: never from the manager.
///
/// Unchecked, because a simulated run has one thread.
final class TrackedLease: @unchecked Sendable {
    let id: LeaseID
    let deployment: Int
    /// The credential's name at the target.
    let name: String
    let path: String
    let plan: MountPlan?
    let sequence: UInt64
    let issuedAt: LeaseInstant
    let requestID: String?
    let explicitMaximum: Duration?
    let period: Duration?
    var parent: LeaseID?
    /// The state in the store now; nil when the record is gone.
    var state: LeaseState?
    var isHollow = false
    var generation: UInt32
    var expiresAt: LeaseInstant
    /// Every end that the record ever had while active.
    var ends: Set<LeaseInstant> = []
    var wasActive = false
    /// When its time is over by the true clock, and when that was noted; nil when that cannot be said.
    var trueEnd: (at: Duration, notedAt: Duration)?
    var outcome: LeaseOutcome?
    /// When it was written down, by the true clock.
    var insertedAt = Duration.zero
    /// Whether somebody put or took something at the target in its name.
    var wasMeddledWith = false
    /// What is to end it, and how often that was tried in vain.
    var orders: [RevocationOrderID] = []
    var attempts: UInt32 = 0
    var claim: (value: LeaseClaim, owner: Incarnation)?
    /// Why its credential may be where its record is not, or the other way round.
    var excuse: String?
    /// The state that events told of each generation; nil for removed.
    var versions: [UInt32: LeaseState?] = [:]
    private var trail: [String] = []

    init(_ record: LeaseRecord, deployment: Int, plan: MountPlan?) {
        id = record.id
        self.deployment = deployment
        name = (try? InMemoryHandle(handleBytes: record.handle))?.name ?? ""
        path = record.path
        self.plan = plan
        sequence = record.sequence
        issuedAt = record.issuedAt
        requestID = record.requestID
        explicitMaximum = record.explicitMaximum
        period = record.period
        parent = record.parent
        state = record.state
        generation = record.generation
        expiresAt = record.expiresAt
        if record.state == .active { becomeActive(record) }
    }

    /// Whether it works, or is about to be ended.
    var isOnItsWay: Bool { state == .active || state == .revoking }

    func becomeActive(_ record: LeaseRecord) {
        wasActive = true
        ends.insert(record.expiresAt)
    }

    func note(_ line: @autoclosure () -> String) {
        if trail.count >= 60 { trail.removeFirst(30) }
        trail.append(line())
    }

    var lines: [String] { trail }
}
