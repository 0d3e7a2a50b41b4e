// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A row of the lease table as it was read: numbers and bytes, nothing understood yet.
struct RawRow {
    let sequence: Int64
    let id: LeaseID?
    let place: Int64
    let mount: MountID
    let role: Int64?
    let owner: Int64?
    let phase: Int64?
    let parent: LeaseID?
    let order: Int64?
    let record: [UInt8]

    /// The columns that ``init(_:)`` reads, in this order.
    static let columns = "sequence, id, place, role, owner, phase, parent, first_order, record, mount"

    init(_ statement: borrowing Statement) {
        sequence = statement.integer(0)
        id = statement.leaseID(1)
        place = statement.integer(2)
        role = statement.optionalInteger(3)
        owner = statement.optionalInteger(4)
        phase = statement.optionalInteger(5)
        parent = statement.leaseID(6)
        order = statement.optionalInteger(7)
        record = statement.bytes(8)
        mount = MountID(rawValue: UInt32(truncatingIfNeeded: statement.integer(9)))
    }
}

/// A lease in its row.
struct Row {
    let sequence: Int64
    let place: Place
    let role: Int64?
    let owner: Int64?
    var record: LeaseRecord
    /// Whether the bytes could not be read; they stay in the row as they are.
    let isDamaged: Bool
    /// What the row's other columns say.
    var was: Shape

    /// What of a record the indexes depend on.
    struct Shape: Equatable {
        let state: LeaseState
        let phase: Int64?
        let urgency: Int64
        let due: Int64?
        let parent: LeaseID?
        let needsParent: Bool
        let order: UInt64?
        let orderCount: Int
        let isHollow: Bool

        init(_ record: borrowing LeaseRecord) {
            state = record.state
            phase = Self.phase(record.state, isClaimed: record.claim != nil)
            urgency = Int64(record.urgency.rawValue)
            // When a claim lapses is known to the shelf of claims.
            due = record.due == .distantFuture || record.claim != nil ? nil : record.due.nanosecondsSinceEpoch
            parent = record.parent
            needsParent = record.needsParent
            order = record.order?.rawValue
            orderCount = order == nil ? 0 : record.orders.count
            isHollow = record.isHollow
        }

        static func phase(_ state: LeaseState, isClaimed: Bool) -> Int64? {
            if state == .active && !isClaimed { return nil }
            return Int64(state.rawValue) + (isClaimed ? claimed : 0)
        }

        /// What is added to the phase of a claimed lease.
        static let claimed: Int64 = 8

        /// The state that a phase stands for; nil for one that nobody wrote.
        static func state(of phase: Int64?) -> LeaseState? {
            guard let phase else { return .active }
            return (0..<claimed * 2).contains(phase) ? LeaseState(rawValue: UInt8(phase & 7)) : nil
        }
    }
}
