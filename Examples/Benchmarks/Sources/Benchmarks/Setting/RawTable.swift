// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The baseline: what the same data costs in a dictionary behind a lock, with nothing around it.
///
/// No policy, no tree, no order, nothing that finds what is due, no compare-and-set, no errors.
final class RawTable: Sendable {
    struct Key: Hashable {
        let high: UInt64
        let low: UInt64
    }

    struct Row {
        let path: String
        let handle: [UInt8]
        let issuedAt: Int64
        var expiresAt: Int64
        var generation: UInt32
    }

    private let rows = Mutex<[Key: Row]>([:])
    private let paths = (0..<NoOpBackend.pathCount).map { "bench/group-\($0)/service-\($0)" }

    func insert(_ number: Int, expiresAt: Int64) -> Key {
        let key = Key(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
        let row = Row(
            path: paths[number % paths.count],
            handle: [UInt8](repeating: 0x78, count: 60),
            issuedAt: 0,
            expiresAt: expiresAt,
            generation: 1
        )
        rows.withLock { $0[key] = row }
        return key
    }

    func update(_ key: Key, expiresAt: Int64) {
        rows.withLock {
            $0[key]?.expiresAt = expiresAt
            $0[key]?.generation += 1
        }
    }

    func remove(_ key: Key) { rows.withLock { _ = $0.removeValue(forKey: key) } }

    func find(_ key: Key) -> Row? { rows.withLock { $0[key] } }
}
