// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One order and how far its expansion has come.
final class OrderEntry {
    @exclusivity(unchecked) var order: RevocationOrder
    /// The place among all orders ever placed.
    let number: UInt64
    /// The place in the book.
    let slot: UInt32
    /// Not complete, or still closing.
    @exclusivity(unchecked) fileprivate(set) var isOpen = false
    /// Leases whose children are being covered, and the last child that was.
    var stack: [(lease: LeaseID, position: LeaseTree.Position)] = []
    /// Where the walk over a prefix or mount goes on: behind this sequence at this path.
    var cursor: (path: String, sequence: UInt64)?

    init(_ order: RevocationOrder, number: UInt64, slot: UInt32) {
        self.order = order
        self.number = number
        self.slot = slot
    }

    func copy() -> OrderEntry {
        let copy = OrderEntry(order, number: number, slot: slot)
        copy.isOpen = isOpen
        copy.stack = stack
        copy.cursor = cursor
        return copy
    }
}

/// The orders: open ones, and the newest of those that are complete.
struct OrderBook {
    /// How many complete orders are remembered.
    static let memory = 4_096

    private var entries: ContiguousArray<OrderEntry?> = []
    private var free: [UInt32] = []
    private var index = SlotIndex()
    private var lastNumber: UInt64 = 0
    /// Not complete, or still closing: slots by number.
    private var open = SequenceList()
    /// Not expanded yet: slots by number.
    private var unexpanded = SequenceList()
    /// Slots, the one that was completed first at the start.
    private var complete: [UInt32] = []
    private var forgotten = 0
    /// How many are not expanded yet; while zero, no change has to ask.
    private(set) var unexpandedCount = 0
    /// Those that are not expanded yet and that no record bears from the start: about prefixes, mounts and hollow roots.
    private(set) var unexpandedSelections: [OrderEntry] = []
    private(set) var closing: [OrderEntry] = []

    func find(_ id: RevocationOrderID) -> OrderEntry? {
        index.find(Self.hash(id)) { entries[Int($0)]?.order.id == id }.flatMap { entries[Int($0)] }
    }

    /// Adds an order; `isOnRoot` says that its root bears it.
    mutating func add(_ order: RevocationOrder, isOnRoot: Bool = false) -> OrderEntry {
        lastNumber += 1
        let slot = free.popLast() ?? UInt32(entries.count)
        let entry = OrderEntry(order, number: lastNumber, slot: slot)
        if Int(slot) == entries.count { entries.append(entry) } else { entries[Int(slot)] = entry }
        index.insert(Self.hash(order.id), slot)
        if order.isClosing { closing.append(entry) }
        if order.progress.isComplete && !order.isClosing {
            remember(entry)
            return entry
        }
        entry.isOpen = true
        open.insert(entry.number, slot)
        if !order.progress.isExpanded {
            unexpandedCount += 1
            unexpanded.insert(entry.number, slot)
            if !isOnRoot { unexpandedSelections.append(entry) }
        }
        return entry
    }

    /// Notes that every lease of an order was found.
    mutating func expanded(_ entry: OrderEntry) {
        if entry.order.progress.isExpanded { return }
        entry.order.progress.isExpanded = true
        entry.stack = []
        entry.cursor = nil
        unexpandedCount -= 1
        unexpanded.remove(entry.number, entry.slot)
        unexpandedSelections.removeAll { $0 === entry }
        settle(entry)
    }

    /// Puts an order away when it is complete and closes nothing.
    mutating func settle(_ entry: OrderEntry) {
        guard entry.order.progress.isComplete, !entry.order.isClosing, entry.isOpen else { return }
        entry.isOpen = false
        open.remove(entry.number, entry.slot)
        remember(entry)
    }

    /// Lets an order admit new leases again; false when it did not keep any out.
    mutating func reopen(_ id: RevocationOrderID) -> Bool {
        guard let entry = find(id), entry.order.isClosing else { return false }
        entry.order.isClosing = false
        closing.removeAll { $0 === entry }
        settle(entry)
        return true
    }

    /// Open orders: those not expanded first, since they are what a manager has to carry on with; then the oldest.
    func firstOpen(limit: Int) -> [RevocationOrder] {
        var orders: [RevocationOrder] = []
        unexpanded.forEach(after: 0) { _, slot in
            guard orders.count < limit else { return false }
            if let entry = entries[Int(slot)] { orders.append(entry.order) }
            return true
        }
        open.forEach(after: 0) { _, slot in
            guard orders.count < limit else { return false }
            if let entry = entries[Int(slot)], entry.order.progress.isExpanded { orders.append(entry.order) }
            return true
        }
        return orders
    }

    /// A book of its own, whose entries are nobody else's.
    func copy() -> OrderBook {
        var copy = self
        copy.index = index.copy()
        copy.entries = ContiguousArray(entries.map { $0?.copy() })
        copy.unexpandedSelections = unexpandedSelections.compactMap { copy.entries[Int($0.slot)] }
        copy.closing = closing.compactMap { copy.entries[Int($0.slot)] }
        return copy
    }

    private mutating func remember(_ entry: OrderEntry) {
        complete.append(entry.slot)
        guard complete.count - forgotten > Self.memory else { return }
        forget(complete[forgotten])
        forgotten += 1
        if forgotten == Self.memory {
            complete.removeFirst(forgotten)
            forgotten = 0
        }
    }

    private mutating func forget(_ slot: UInt32) {
        guard let entry = entries[Int(slot)] else { return }
        index.remove(Self.hash(entry.order.id), slot)
        entries[Int(slot)] = nil
        free.append(slot)
    }

    /// An id is random but for its last bit, which is always set.
    private static func hash(_ id: RevocationOrderID) -> UInt64 {
        (id.rawValue ^ (id.rawValue >> 29)) &* 0x9E37_79B9_7F4A_7C15 >> 8
    }
}
