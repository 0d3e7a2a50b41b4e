// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// The simplest way: each job asks for a user of its own, and it is gone when the job is done.
///
/// For jobs that take a while. Each costs the server one user to make and one to drop.
func credentialPerConnection(
    _ database: Mount<PostgresRequest, PostgresCredential>,
    _ server: Server
) async throws {
    heading("A credential for each connection")
    for job in 1...3 {
        try await database.withLease(PostgresRequest(role: "app", label: "job \(job)")) { lease in
            let client = LibPQClient(
                server.configuration(user: lease.secret.username, password: lease.secret.password, maxConnections: 1)
            )
            print("job \(job) is \(lease.secret.username): \(try await sumOfOrders(client))")
            await client.close()
        }
    }
    print("users left: \(try await server.countOfUsers())")
}
