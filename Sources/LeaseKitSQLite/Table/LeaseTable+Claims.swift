// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    func claimDue(_ request: ClaimRequest, _ context: StoreContext) throws -> [ClaimedLease] {
        var handed: [ClaimedLease] = []
        let urgencies: [LeaseUrgency] = request.scope == .everything ? [.ordered, .expiry] : [.ordered]
        for urgency in urgencies {
            while handed.count < request.room {
                let room = min(request.room - handed.count, 512)
                sql.due.bind(1, request.mount.rawValue)
                sql.due.bind(2, Int64(urgency.rawValue))
                sql.due.bind(3, context.now.nanosecondsSinceEpoch)
                sql.due.bind(4, room)
                let due = try rows(sql.due)
                for row in due { try claim(row, request, context).map { handed.append($0) } }
                // A claim that lapses at once would be handed out again and again.
                if due.count < room || request.lapsesAt <= context.now { break }
            }
        }
        return handed
    }

    private func claim(_ row: Row, _ request: ClaimRequest, _ context: StoreContext) throws -> ClaimedLease? {
        // Set aside while it was read: it is due no more.
        if row.isDamaged { return nil }
        var row = row
        let wasActive = row.record.state == .active
        var claimed: ClaimedLease?
        if try isNeeded(row.record.id) {
            row.record.waitForChild(at: context.now)
        } else if hand(&row.record, request.lapsesAt, context) {
            claimed = ClaimedLease(
                record: row.record,
                hasChildren: try hasChildren(row.record.id),
                hasJustExpired: wasActive
            )
        } else {
            // Not to be handed out after all: it is looked at again when its time has come.
            row.record.due = max(row.record.expiresAt, context.now + .seconds(1))
        }
        try save(row)
        return claimed
    }

    func hand(_ record: inout LeaseRecord, _ lapsesAt: LeaseInstant, _ context: StoreContext) -> Bool {
        guard record.hand(to: LeaseClaim(rawValue: life.claim + 1), lapsesAt: lapsesAt, context) else { return false }
        life.claim += 1
        return true
    }

    func nextDue(_ mount: MountID, _ scope: ClaimScope) throws -> LeaseInstant? {
        let urgencies: [LeaseUrgency] = scope == .everything ? [.ordered, .expiry] : [.ordered]
        return try urgencies.compactMap { urgency in
            sql.nextDue.bind(1, mount.rawValue)
            sql.nextDue.bind(2, Int64(urgency.rawValue))
            defer { sql.nextDue.reset() }
            guard try sql.nextDue.next("look for what is due") else { return nil }
            return LeaseInstant(nanosecondsSinceEpoch: sql.nextDue.integer(0))
        }.min()
    }

    /// Frees what earlier incarnations had in their hands: pending and claimed leases, found through an index.
    func void(at now: LeaseInstant) throws {
        let phases = LeaseState.allCases.map { Int64($0.rawValue) + Row.Shape.claimed }
        for phase in [Int64(LeaseState.pending.rawValue)] + phases {
            var after: Int64 = 0
            while true {
                sql.inPhase.bind(1, phase)
                sql.inPhase.bind(2, after)
                sql.inPhase.bind(3, 512)
                let held = try rows(sql.inPhase)
                guard let last = held.last else { break }
                for var row in held where !row.isDamaged {
                    row.record.void(at: now)
                    try save(row)
                }
                after = last.sequence
            }
        }
    }
}
