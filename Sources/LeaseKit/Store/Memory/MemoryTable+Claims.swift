// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    func claimDue(_ request: ClaimRequest, _ context: StoreContext) -> [ClaimedLease] {
        guard let mount = mounts[request.mount] else { return [] }
        var handed: [ClaimedLease] = []
        var lapsed: [UInt32] = []
        while handed.count < request.room, let slot = mount.nextToHandOut(request.scope, at: context.now) {
            let row = rows.pointer(slot)
            let before = Before(row)
            let wasActive = row.pointee.record.state == .active
            if !needyChildren.isEmpty && needyChildren[row.pointee.record.id] != nil {
                row.pointee.record.waitForChild(at: context.now)
            } else if hand(row, request.lapsesAt, context) {
                let hasChildren = tree.hasChildren(row.pointee.record.id)
                handed.append(
                    ClaimedLease(record: row.pointee.record, hasChildren: hasChildren, hasJustExpired: wasActive)
                )
                if row.pointee.record.due <= context.now {
                    // A claim that lapses at once: out of the way until all are handed out, so that none is handed out twice.
                    row.pointee.record.due = .distantFuture
                    lapsed.append(slot)
                }
            } else {
                // Not to be handed out after all: it is looked at again when its time has come.
                row.pointee.record.due = max(row.pointee.record.expiresAt, context.now + .seconds(1))
            }
            reindex(slot, before)
        }
        for slot in lapsed {
            let row = rows.pointer(slot)
            let before = Before(row)
            row.pointee.record.due = request.lapsesAt
            reindex(slot, before)
        }
        return handed
    }

    func hand(_ row: UnsafeMutablePointer<MemoryRow>, _ lapsesAt: LeaseInstant, _ context: StoreContext) -> Bool {
        guard row.pointee.record.hand(to: LeaseClaim(rawValue: lastClaim + 1), lapsesAt: lapsesAt, context) else {
            return false
        }
        lastClaim += 1
        return true
    }

    func nextDue(_ id: MountID, _ scope: ClaimScope) -> LeaseInstant? { mounts[id]?.next(scope)?.due }
}
