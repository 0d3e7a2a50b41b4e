// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

// Three ways to use database credentials that live as long as their lease, on a real server that `Examples/run` starts.

guard let server = Server() else {
    print("This example needs a server: ./Examples/run PostgresCredentials starts one.")
    exit(1)
}
try await server.prepare()

// Whoever issues logs in as an admin that may make roles, and no more.
let backend = try PostgresBackend(
    client: LibPQClient(server.configuration(user: "leasekit", password: server.adminPassword)),
    roles: ["app": PostgresRole(.memberOf("app_readers"), ttl: .seconds(3), maximum: .seconds(3_600))]
)
heading("Before anything depends on it")
print("preflight: \(try await backend.preflight())")

try await withLeaseManager { manager in
    let database = try await manager.mount(backend, at: "database")
    try await credentialPerConnection(database, server)
    try await cachedWithRenewal(database, server)
    try await rotationUnderLoad(database, server)
}

heading("Afterwards")
print("users that LeaseKit left at the server: \(try await server.countOfUsers())")
