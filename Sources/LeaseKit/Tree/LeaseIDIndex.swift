// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which node a lease has: many small dictionaries instead of a large one, so that none takes long to grow.
struct LeaseIDIndex: Sendable {
    private var shards: [[LeaseID: UInt32]] = []
    private(set) var count = 0

    private static let shardCount = 128

    subscript(_ id: LeaseID) -> UInt32? {
        get { count == 0 ? nil : shards[Self.shard(of: id)][id] }
        set {
            if shards.isEmpty { shards = Array(repeating: [:], count: Self.shardCount) }
            let shard = Self.shard(of: id)
            let before = shards[shard].count
            shards[shard][id] = newValue
            count += shards[shard].count - before
        }
    }

    // The upper half, since the dictionary hashes the lower one.
    private static func shard(of id: LeaseID) -> Int { Int(truncatingIfNeeded: id.high) & (shardCount - 1) }
}
