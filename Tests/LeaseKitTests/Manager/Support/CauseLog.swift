// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A store that notes why each of its changes was made, as an audit table would.
final class CauseLog: ForwardingLeaseStore, @unchecked Sendable {
    /// One change of one lease, or one page of an order.
    struct Entry: Sendable {
        /// Nil for a page of an order.
        var lease: LeaseID?
        var isRemoval = false
        var cause: LeaseCause
    }

    private let all = Locked<[Entry]>([])

    /// Why each lease was removed.
    var removals: [LeaseID: LeaseCause] {
        all.withLock { entries in
            entries.reduce(into: [:]) { causes, entry in
                if entry.isRemoval, let lease = entry.lease { causes[lease] = entry.cause }
            }
        }
    }

    /// Why each change of a lease was made, oldest first.
    func causes(of lease: LeaseID) -> [LeaseCause] {
        all.withLock { $0.filter { $0.lease == lease }.map(\.cause) }
    }

    /// Why pages of orders were covered.
    var expansions: [LeaseCause] { all.withLock { $0.filter { $0.lease == nil }.map(\.cause) } }

    override func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        all.withLock { entries in
            for change in changes {
                var entry = Entry(lease: change.lease, cause: context.cause)
                if case .update(_, .remove) = change { entry.isRemoval = true }
                entries.append(entry)
            }
        }
        return try await super.apply(changes, context)
    }

    override func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        all.withLock { $0.append(Entry(cause: context.cause)) }
        return try await super.expand(order, limit: limit, context)
    }
}
