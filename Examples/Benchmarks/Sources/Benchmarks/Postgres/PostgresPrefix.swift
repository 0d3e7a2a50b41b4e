// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// One order over many leases, against revoking them one after another.
func measurePrefix(_ server: BenchServer, _ count: Int, syncs: Bool) async throws -> [Measurement] {
    let role = PostgresRole(.memberOf("readers"), ttl: .seconds(3_600), iterations: 1)
    let label = "fsync \(syncs ? "on" : "off")"
    return try await world(server, connections: 8, roles: ["app": role, "one": role]) { manager, mount in
        let few = LeaseList(count / 10)
        _ = try await time(count / 10, callers: 8) { few.set($0, try await mount.issue("one").id) }
        let single = try await time(count / 80 * 8, callers: 1) { _ = try await mount.revoke(few[$0]) }
        _ = try await time(count, callers: 8) { _ in _ = try await mount.issue("app") }
        let start = ContinuousClock.now
        _ = try await manager.revoke(.prefix("db/creds/app"), RevokeOptions(wait: .seconds(120)))
        let all = (ContinuousClock.now - start) / .microseconds(1)
        return [
            Measurement(
                "Postgres: a lease of a prefix of \(text(of: count)), \(label)",
                all / Double(count),
                "µs",
                baseline: single,
                target: single / 3
            ),
            Measurement("Postgres: a prefix of \(text(of: count)), all gone, \(label)", all / 1_000_000, "s"),
        ]
    }
}

/// Leases by the number of who issued them.
final class LeaseList: @unchecked Sendable {
    private let lock = NSLock()
    private var ids: [LeaseID]

    init(_ count: Int) { ids = [LeaseID](repeating: LeaseID(high: 0, low: 0), count: count) }

    subscript(place: Int) -> LeaseID { lock.withLock { ids[place] } }
    func set(_ place: Int, _ id: LeaseID) { lock.withLock { ids[place] = id } }
}
