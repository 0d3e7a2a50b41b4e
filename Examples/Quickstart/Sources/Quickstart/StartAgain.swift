// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A second manager on the same file finds the leases of the first, and ends them when their time is over.
func startAgain(
    _ store: any LeaseStore,
    _ database: Database,
    _ configuration: LeaseManager.Configuration,
    _ time: VirtualTime
) async throws {
    try await withLeaseManager(store: store, configuration: configuration, time: time) { manager in
        _ = try await manager.mount(database.backend, at: "database")
        say("leases found in the file: \(try await manager.counts()[.active])")
        try await time.sleep(for: .seconds(7200))
        say("two hours later")
        say("live at the database: \(database.target.liveCredentials.count)")
    }
}
