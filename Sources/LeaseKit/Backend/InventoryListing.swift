// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A backend that can list the credentials at its target that bear a mark, so that orphans are found.
public protocol InventoryListing: SecretBackend {
    /// Reads one page of everything that bears `deployment`'s mark, in any stable order.
    ///
    /// `cursor` is nil for the first page and the last page's ``InventoryPage/next`` after that. Beside sweeps, the first page is
    /// asked for once after each start on a store that was used before, to learn of other copies of the store.
    func inventory(of deployment: String, after cursor: String?, _ call: BackendCall) async throws -> InventoryPage<
        Handle
    >
}

/// One page of an inventory.
public struct InventoryPage<Handle: LeaseHandle>: Sendable {
    /// One credential found at the target.
    public struct Item: Sendable {
        /// What finds it again.
        public let handle: Handle
        /// The mark that it bears.
        public let mark: LeaseMark
        /// When it was made, where the target knows.
        public let madeAt: LeaseInstant?

        /// Makes an item.
        public init(handle: Handle, mark: LeaseMark, madeAt: LeaseInstant?) {
            self.handle = handle
            self.mark = mark
            self.madeAt = madeAt
        }
    }

    /// What was found.
    public let items: [Item]
    /// Where to read on; nil after the last page.
    public let next: String?

    /// Makes a page.
    public init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}
