// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Who belongs to whom.
///
/// A pure value: the index of parents and children of the in-memory store, and the model that every store is held against.
/// A lease with neither parent nor child is not in it and costs nothing. A lease gets its parent when it is inserted and
/// may leave it later; it is never given another one, so that a loop cannot come to be.
///
/// Every operation is iterative and takes constant or logarithmic time, but for those that return a whole subtree.
public struct LeaseTree: Sendable {
    private var nodes = NodeArena()
    private var index = LeaseIDIndex()
    private var nextOrdinal: UInt64 = 1

    /// Makes an empty tree.
    public init() {}

    /// How many leases have a parent or a child.
    public var count: Int { index.count }
    /// Whether no lease has a parent or a child.
    public var isEmpty: Bool { index.count == 0 }

    /// Hangs a new lease on a parent.
    ///
    /// False, and nothing is done, when the lease is in the tree already: it has a parent, or children of its own.
    public mutating func insert(_ child: LeaseID, under parent: LeaseID) -> Bool {
        guard child != parent, index[child] == nil else { return false }
        let parentNode = index[parent] ?? add(parent)
        let childNode = add(child)
        nodes[childNode].parent = parentNode
        nodes[childNode].ordinal = nextOrdinal
        nodes[parentNode].children.append(Children.Entry(ordinal: nextOrdinal, node: childNode))
        nextOrdinal += 1
        return true
    }

    /// Takes a lease away from its parent; what hangs on it stays with it.
    public mutating func detach(_ child: LeaseID) -> Departure {
        guard let node = index[child], nodes[node].parent != NodeArena.none else { return .absent }
        return leaveParent(node)
    }

    /// Takes a lease without children out.
    ///
    /// One with children stays, since they would lose their way up.
    public mutating func remove(_ leaf: LeaseID) -> Departure {
        guard let node = index[leaf] else { return .absent }
        guard nodes[node].children.isEmpty else { return .hasChildren }
        return leaveParent(node)
    }

    /// What a lease left behind when it was taken out.
    ///
    /// Frozen: a lease is in a tree or not, and has children or not.
    public enum Departure: Hashable, Sendable {
        /// It was not below anything.
        case absent
        /// It stays: other leases hang on it.
        case hasChildren
        /// It left this parent, perhaps as the last child.
        case left(LeaseID, wasLastChild: Bool)
    }
}

// MARK: - Looking

extension LeaseTree {
    /// The lease that this one hangs on.
    public func parent(of id: LeaseID) -> LeaseID? {
        guard let node = index[id], nodes[node].parent != NodeArena.none else { return nil }
        return nodes[nodes[node].parent].id
    }

    /// Whether anything hangs on a lease.
    public func hasChildren(_ id: LeaseID) -> Bool { !isEmpty && childCount(of: id) > 0 }

    /// How many leases hang directly on this one.
    public func childCount(of id: LeaseID) -> Int {
        index[id].map { nodes[$0].children.count } ?? 0
    }

    /// A place among the children of a lease.
    ///
    /// It stays good whatever leaves or comes meanwhile.
    public struct Position: Hashable, Sendable {
        /// The place as a number; later children have higher ones.
        public let rawValue: UInt64
        /// Takes a place back from its number.
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        /// Before the first child.
        public static let start = Position(rawValue: 0)
    }

    /// The first child behind a position, and its own position.
    public func child(of id: LeaseID, after position: Position = .start) -> (id: LeaseID, position: Position)? {
        guard let node = index[id], let entry = nodes[node].children.first(after: position.rawValue) else { return nil }
        return (nodes[entry.node].id, Position(rawValue: entry.ordinal))
    }

    /// Up to `limit` children behind a position, in the order of their insertion, and where to read on.
    public func children(
        of id: LeaseID,
        after position: Position = .start,
        limit: Int = .max
    ) -> (ids: [LeaseID], position: Position) {
        guard let node = index[id] else { return ([], position) }
        var ids: [LeaseID] = []
        var last = position
        nodes[node].children.forEach(after: position.rawValue) { entry in
            guard ids.count < limit else { return false }
            ids.append(nodes[entry.node].id)
            last = Position(rawValue: entry.ordinal)
            return true
        }
        return (ids, last)
    }

    /// Walks from a lease's parent up to the root, as far as it is asked to.
    public func ancestors(of id: LeaseID) -> some Sequence<LeaseID> {
        var node = index[id].map { nodes[$0].parent } ?? NodeArena.none
        return AnyIterator {
            guard node != NodeArena.none else { return nil }
            defer { node = nodes[node].parent }
            return nodes[node].id
        }
    }

    /// Everything below a lease, each one behind all that hangs on it.
    public func descendantsLeavesFirst(of id: LeaseID) -> [LeaseID] {
        guard let root = index[id] else { return [] }
        // A walk that visits parents first and children last to first, read backwards, is one with the leaves first.
        var stack = [root]
        var ids: [LeaseID] = []
        while let node = stack.popLast() {
            if node != root { ids.append(nodes[node].id) }
            nodes[node].children.forEach(after: 0) { entry in
                stack.append(entry.node)
                return true
            }
        }
        ids.reverse()
        return ids
    }
}

// MARK: - Upkeep

extension LeaseTree {
    private mutating func add(_ id: LeaseID) -> UInt32 {
        let node = nodes.add(id)
        index[id] = node
        return node
    }

    private mutating func leaveParent(_ node: UInt32) -> Departure {
        let parent = nodes[node].parent
        // Nothing stays in the tree without a parent or a child, so a leaf has a parent.
        guard parent != NodeArena.none else { return .absent }
        nodes[parent].children.remove(nodes[node].ordinal)
        nodes[node].parent = NodeArena.none
        let departure = Departure.left(nodes[parent].id, wasLastChild: nodes[parent].children.isEmpty)
        dropIfAlone(node)
        dropIfAlone(parent)
        return departure
    }

    private mutating func dropIfAlone(_ node: UInt32) {
        guard nodes[node].parent == NodeArena.none, nodes[node].children.isEmpty else { return }
        index[nodes[node].id] = nil
        nodes.drop(node)
    }
}
