// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The nodes of a tree, linked by number: chunks of a fixed size, so that growing never copies what is there.
struct NodeArena: Sendable {
    /// The number that stands for no node.
    static let none = UInt32.max
    private static let chunkBits: UInt32 = 12

    struct Node: Sendable {
        var id: LeaseID
        var parent = NodeArena.none
        /// The place among the parent's children.
        var ordinal: UInt64 = 0
        var children = Children()
    }

    private var chunks: [[Node]] = []
    private var free: [UInt32] = []

    subscript(_ node: UInt32) -> Node {
        _read { yield chunks[Int(node >> Self.chunkBits)][Int(node & (1 << Self.chunkBits - 1))] }
        _modify { yield &chunks[Int(node >> Self.chunkBits)][Int(node & (1 << Self.chunkBits - 1))] }
    }

    mutating func add(_ id: LeaseID) -> UInt32 {
        if let node = free.popLast() {
            self[node] = Node(id: id)
            return node
        }
        if chunks.last.map({ $0.count == 1 << Self.chunkBits }) ?? true { chunks.append([]) }
        chunks[chunks.count - 1].append(Node(id: id))
        return UInt32((chunks.count - 1) << Int(Self.chunkBits) + chunks[chunks.count - 1].count - 1)
    }

    mutating func drop(_ node: UInt32) {
        self[node] = Node(id: LeaseID(high: 0, low: 0))
        free.append(node)
    }
}
