// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What happens to one call to a store.
public enum StoreFault: Sendable {
    /// It fails with this error and is not passed on.
    case failBefore(StoreError)
    /// It is passed on, and its answer replaced by this error.
    case failAfter(StoreError)
    /// It waits at a gate before it is passed on.
    case holdBefore(StoreGate)
    /// It is passed on, and its answer waits at a gate.
    case holdAfter(StoreGate)

    /// The store cannot be reached; nothing is done.
    public static let unavailable = failBefore(StoreError(.unavailable, "the store is out of reach (injected)"))
    /// It is done, and the answer is lost.
    public static let unknown = failAfter(StoreError(.unknown, "the answer was lost (injected)"))
}

/// One call to a store, as a plan of faults sees it.
public struct StoreCall: Sendable {
    /// Which call.
    public var kind: Kind
    /// How many calls came before it.
    public var index: Int
    /// The changes of an ``Kind/apply``.
    public var changes: [LeaseChange]

    /// Which call it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Opens the table.
        case open
        /// Applies changes.
        case apply
        /// Writes an order down.
        case place
        /// Expands an order.
        case expand
        /// Finds orders.
        case orders
        /// Lists open orders.
        case openOrders
        /// Lets a closing order admit leases again.
        case reopen
        /// Hands out due leases.
        case claimDue
        /// When something is due next.
        case nextDue
        /// Finds leases.
        case find
        /// Reads a page.
        case page
        /// Counts leases.
        case counts
        /// Lists mounts.
        case mounts
        /// Registers a mount.
        case register
        /// Changes a fingerprint.
        case adopt
        /// Forgets a mount.
        case unregister
        /// Reads a mount's state.
        case loadState
        /// Writes a mount's state.
        case saveState
        /// Keeps the observed time.
        case record
        /// Begins an epoch.
        case beginEpoch

        /// Whether it changes anything.
        public var isWriting: Bool {
            switch self {
            case .orders, .openOrders, .nextDue, .find, .page, .counts, .mounts, .loadState: false
            default: true
            }
        }
    }
}
