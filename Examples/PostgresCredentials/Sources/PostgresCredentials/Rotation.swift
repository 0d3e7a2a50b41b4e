// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// Which connections the service uses now.
private actor Current {
    private(set) var client: LibPQClient

    init(_ client: LibPQClient) { self.client = client }

    /// Takes the new ones, and hands the old ones back.
    func exchange(_ client: LibPQClient) -> LibPQClient {
        defer { self.client = client }
        return self.client
    }
}

/// The credential is exchanged while the service is busy, and no query fails: make, switch, drain, revoke.
func rotationUnderLoad(
    _ database: Mount<PostgresRequest, PostgresCredential>,
    _ server: Server
) async throws {
    heading("Exchanged while four workers are busy")

    func connect(_ lease: Lease<PostgresCredential>) async throws -> LibPQClient {
        let client = LibPQClient(server.configuration(user: lease.secret.username, password: lease.secret.password))
        // It has to work before anybody depends on it.
        _ = try await sumOfOrders(client)
        return client
    }

    var lease = try await database.issue("app", IssueOptions(ttl: .seconds(60)))
    let current = Current(try await connect(lease))
    let (queries, failures, users) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
        for _ in 0..<4 {
            group.addTask {
                var (queries, failures) = (0, 0)
                while !Task.isCancelled {
                    let client = await current.client
                    do {
                        _ = try await sumOfOrders(client)
                        queries += 1
                    } catch is CancellationError {
                        break
                    } catch let error as PostgresError where error.code == "closed" || error.code == "cancelled" {
                        // It was exchanged between the two lines above, or the work is over: nothing was asked.
                        continue
                    } catch {
                        print("a query failed: \(error)")
                        failures += 1
                    }
                }
                return (queries, failures)
            }
        }
        var users = [lease.secret.username]
        for _ in 1...4 {
            try await Task.sleep(for: .milliseconds(500))
            let next = try await database.issue("app", IssueOptions(ttl: .seconds(60)))
            let old = await current.exchange(try await connect(next))
            // Waits until the last query of the old one is done.
            await old.close()
            try await database.revoke(lease.id)
            lease = next
            users.append(next.secret.username)
        }
        group.cancelAll()
        var sums = (0, 0)
        for try await (queries, failures) in group { sums = (sums.0 + queries, sums.1 + failures) }
        return (sums.0, sums.1, users)
    }
    await current.client.close()
    try await database.revoke(lease.id)
    print("\(users.count) credentials, \(queries) queries, \(failures) failed")
}
