// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One order and how far its expansion has come.
final class OrderEntry {
    var order: RevocationOrder
    /// The place among all orders ever placed.
    let number: Int64
    /// Whether its root bears it, so that nobody has to be asked about the selection.
    let isOnRoot: Bool
    /// Where the walk over a prefix or mount goes on.
    var walk: WalkPosition?
    /// Whether it counts as complete, and where among the complete ones.
    var completed: Int64?
    var isDirty = false

    init(_ order: RevocationOrder, number: Int64, isOnRoot: Bool, walk: WalkPosition? = nil, completed: Int64? = nil) {
        self.order = order
        self.number = number
        self.isOnRoot = isOnRoot
        self.walk = walk
        self.completed = completed
    }

    var isOpen: Bool { !order.progress.isComplete || order.isClosing }
}

/// A place in the walk over leases: behind this one.
struct WalkPosition: Hashable {
    var path: String
    var mount: UInt32
    var sequence: Int64
}

/// The orders that are in memory: every one that is not expanded or closes a path, and those that were asked for.
struct OrderShelf {
    private var entries: [RevocationOrderID: OrderEntry] = [:]
    /// Those that are not expanded yet, oldest first; while there is none, no change has to ask.
    private(set) var unexpanded: [OrderEntry] = []
    private(set) var closing: [OrderEntry] = []
    var dirty: [OrderEntry] = []

    init() {}

    init(_ sql: OrderStatements) throws {
        unexpanded = try Self.read(sql.unexpanded)
        for entry in unexpanded { entries[entry.order.id] = entry }
        for entry in try Self.read(sql.closing) {
            let known = entries[entry.order.id] ?? entry
            entries[entry.order.id] = known
            closing.append(known)
        }
    }

    subscript(_ id: RevocationOrderID) -> OrderEntry? { entries[id] }

    mutating func keep(_ entry: OrderEntry) -> OrderEntry {
        if let known = entries[entry.order.id] { return known }
        entries[entry.order.id] = entry
        return entry
    }

    mutating func add(_ entry: OrderEntry) {
        entries[entry.order.id] = entry
        if entry.order.isClosing { closing.append(entry) }
        if !entry.order.progress.isExpanded { unexpanded.append(entry) }
    }

    mutating func expanded(_ entry: OrderEntry) { unexpanded.removeAll { $0 === entry } }

    mutating func reopened(_ entry: OrderEntry) { closing.removeAll { $0 === entry } }

    mutating func forget(_ id: RevocationOrderID) { entries[id] = nil }

    /// Forgets what is on the disk and need not be in memory.
    mutating func shrink(to limit: Int) {
        guard entries.count > limit + unexpanded.count + closing.count else { return }
        entries = [:]
        for entry in unexpanded { entries[entry.order.id] = entry }
        for entry in closing { entries[entry.order.id] = entry }
    }

    static func read(_ statement: borrowing Statement) throws -> [OrderEntry] {
        var found: [OrderEntry] = []
        while try statement.next("read orders") { found.append(OrderEntry(statement)) }
        return found
    }
}
