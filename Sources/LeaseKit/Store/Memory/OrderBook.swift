// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One order and how far its expansion has come.
final class OrderEntry {
    var order: RevocationOrder
    /// The place among all orders ever placed.
    let number: UInt64
    /// Leases whose children are being covered, and the last child that was.
    var stack: [(lease: LeaseID, position: LeaseTree.Position)] = []
    /// Where the walk over a prefix or mount goes on: behind this sequence at this path.
    var cursor: (path: String, sequence: UInt64)?

    init(_ order: RevocationOrder, number: UInt64) {
        self.order = order
        self.number = number
    }

    func copy() -> OrderEntry {
        let copy = OrderEntry(order, number: number)
        copy.stack = stack
        copy.cursor = cursor
        return copy
    }
}

/// The orders: open ones, and the newest of those that are complete.
struct OrderBook {
    /// How many complete orders are remembered.
    static let memory = 4_096

    private var entries: [RevocationOrderID: OrderEntry] = [:]
    private var lastNumber: UInt64 = 0
    /// Not complete, or still closing: by number, with the number's lower half as a slot.
    private var open: [UInt64: OrderEntry] = [:]
    private var openNumbers = SequenceList()
    private var complete: [RevocationOrderID] = []
    private var forgotten = 0
    /// How many are not expanded yet; while zero, no change has to ask.
    private(set) var unexpandedCount = 0
    /// Those that are not expanded yet and that no record bears from the start: about prefixes, mounts and hollow roots.
    private(set) var unexpandedSelections: [OrderEntry] = []
    private(set) var closing: [OrderEntry] = []

    func find(_ id: RevocationOrderID) -> OrderEntry? { entries[id] }

    /// Adds an order; `isOnRoot` says that its root bears it.
    mutating func add(_ order: RevocationOrder, isOnRoot: Bool = false) -> OrderEntry {
        lastNumber += 1
        let entry = OrderEntry(order, number: lastNumber)
        entries[order.id] = entry
        if order.isClosing { closing.append(entry) }
        if order.progress.isComplete && !order.isClosing {
            remember(entry)
            return entry
        }
        open[entry.number] = entry
        openNumbers.insert(entry.number, 0)
        if !order.progress.isExpanded {
            unexpandedCount += 1
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
        unexpandedSelections.removeAll { $0 === entry }
        settle(entry)
    }

    /// Puts an order away when it is complete and closes nothing.
    mutating func settle(_ entry: OrderEntry) {
        guard entry.order.progress.isComplete, !entry.order.isClosing, open[entry.number] != nil else { return }
        open[entry.number] = nil
        openNumbers.remove(entry.number, 0)
        remember(entry)
    }

    /// Lets an order admit new leases again; false when it did not keep any out.
    mutating func reopen(_ id: RevocationOrderID) -> Bool {
        guard let entry = entries[id], entry.order.isClosing else { return false }
        entry.order.isClosing = false
        closing.removeAll { $0 === entry }
        settle(entry)
        return true
    }

    func oldestOpen(limit: Int) -> [RevocationOrder] {
        var orders: [RevocationOrder] = []
        openNumbers.forEach(after: 0) { number, _ in
            guard orders.count < limit else { return false }
            if let entry = open[number] { orders.append(entry.order) }
            return true
        }
        return orders
    }

    /// A book of its own, whose entries are nobody else's.
    func copy() -> OrderBook {
        var copy = self
        copy.entries = entries.mapValues { $0.copy() }
        copy.open = [:]
        for (number, entry) in open { copy.open[number] = copy.entries[entry.order.id] }
        copy.unexpandedSelections = unexpandedSelections.compactMap { copy.entries[$0.order.id] }
        copy.closing = closing.compactMap { copy.entries[$0.order.id] }
        return copy
    }

    private mutating func remember(_ entry: OrderEntry) {
        complete.append(entry.order.id)
        guard complete.count - forgotten > Self.memory else { return }
        entries[complete[forgotten]] = nil
        forgotten += 1
        if forgotten == Self.memory {
            complete.removeFirst(forgotten)
            forgotten = 0
        }
    }
}
