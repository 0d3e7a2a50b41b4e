// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// One user for the whole service, kept alive for as long as it runs.
///
/// The lease runs for three seconds only, so that a service that dies takes its access with it; each renewal moves the end.
func cachedWithRenewal(
    _ database: Mount<PostgresRequest, PostgresCredential>,
    _ server: Server
) async throws {
    heading("One credential, renewed")
    let lease = try await database.issue("app")
    let client = LibPQClient(server.configuration(user: lease.secret.username, password: lease.secret.password))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            // At two thirds of what was granted: that leaves time for another try.
            var wait = lease.terms.ttl * 2 / 3
            while true {
                try await Task.sleep(for: wait)
                let renewed = try await database.renew(lease.id)
                print("renewed until \(renewed.expiresAt)")
                wait = renewed.granted * 2 / 3
            }
        }
        // Longer than the lease was granted for.
        for _ in 1...5 {
            try await Task.sleep(for: .seconds(1))
            print("\(lease.secret.username): \(try await sumOfOrders(client))")
        }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
    }
    await client.close()
    try await database.revoke(lease.id)
    print("users left: \(try await server.countOfUsers())")
}
