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
                let due = try due(request.mount, urgency, at: context.now, limit: room)
                for row in due { try claim(row, request, context).map { handed.append($0) } }
                // A claim that lapses at once would be handed out again and again.
                if due.count < room || request.lapsesAt <= context.now { break }
            }
        }
        return handed
    }

    /// What is due, and what is so because a claim on it has lapsed, the oldest first.
    private func due(_ mount: MountID, _ urgency: LeaseUrgency, at now: LeaseInstant, limit: Int) throws -> [Row] {
        sql.due.bind(1, mount.rawValue)
        sql.due.bind(2, Int64(urgency.rawValue))
        sql.due.bind(3, now.nanosecondsSinceEpoch)
        sql.due.bind(4, limit)
        let due = try rows(sql.due)
        let lapsed = try claims.lapsed(mount, urgency, at: now).prefix(limit).compactMap { try row($0) }
        if lapsed.isEmpty { return due }
        let all = (due + lapsed).sorted { ($0.record.due, $0.sequence) < ($1.record.due, $1.sequence) }
        return Array(all.prefix(limit))
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
            let lapse = claims.nextLapse(mount, urgency)
            guard try sql.nextDue.next("look for what is due") else { return lapse }
            let due = LeaseInstant(nanosecondsSinceEpoch: sql.nextDue.integer(0))
            return min(due, lapse ?? due)
        }.min()
    }

    /// Puts what is claimed on its shelf.
    func loadClaims() throws {
        claims = ClaimShelf()
        for phase in LeaseState.allCases.map({ Int64($0.rawValue) + Row.Shape.claimed }) {
            try inPhase(phase) { claims.note($0.record) }
        }
    }

    /// Frees what earlier incarnations had in their hands: pending and claimed leases, found through an index.
    func void(at now: LeaseInstant) throws {
        let phases = LeaseState.allCases.map { Int64($0.rawValue) + Row.Shape.claimed }
        for phase in [Int64(LeaseState.pending.rawValue)] + phases {
            try inPhase(phase) { row in
                var row = row
                row.record.void(at: now)
                try save(row)
            }
        }
    }

    /// Reads everything in a phase, a page at a time.
    private func inPhase(_ phase: Int64, _ body: (Row) throws -> Void) throws {
        var after: Int64 = 0
        while true {
            sql.inPhase.bind(1, phase)
            sql.inPhase.bind(2, after)
            sql.inPhase.bind(3, 512)
            let found = try rows(sql.inPhase)
            guard let last = found.last else { return }
            for row in found where !row.isDamaged { try body(row) }
            after = last.sequence
        }
    }
}
