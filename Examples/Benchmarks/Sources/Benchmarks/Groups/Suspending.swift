// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A backend that may wait is called under `run()`: the call changes hands twice and has a deadline.
func measureSuspending(_ scale: Scale) async throws -> [Measurement] {
    let count = 200
    let (issue, revoke) = try await World(style: .suspending).running { world in
        var issues: [Double] = []
        var revocations: [Double] = []
        for _ in 0..<scale.rounds * 10 {
            var leases: [LeaseID] = []
            issues.append(try await nanoseconds { leases = try await world.issue(count) })
            revocations.append(
                try await nanoseconds { for lease in leases { _ = try await world.mount.revoke(lease) } }
            )
        }
        return (median(issues) / Double(count), median(revocations) / Double(count))
    }
    return [
        Measurement("issue, suspending backend", issue, "ns"),
        Measurement("revoke, suspending backend", revoke, "ns"),
    ]
}
