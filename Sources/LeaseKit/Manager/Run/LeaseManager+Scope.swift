// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Runs `body` with a manager that is running, and stops it on the way out: for scripts and tests.
///
/// Over the default in-memory store everything that `body` issued is revoked before this returns, also when `body` throws.
///
/// ```swift
/// try await withLeaseManager { manager in
///     let database = try await manager.mount(backend, at: "database")
///     let lease = try await database.issue("app")
///     print(lease)
/// }
/// ```
public func withLeaseManager<Result>(
    store: any LeaseStore = InMemoryLeaseStore(),
    configuration: LeaseManager.Configuration = LeaseManager.Configuration(),
    time: any LeaseTime = SystemTime(),
    _ body: (LeaseManager) async throws -> Result
) async throws -> Result {
    let manager = LeaseManager(store: store, configuration: configuration, time: time)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await manager.run() }
        do {
            // A body that is done before run() has begun would otherwise stop a manager that never ran, and revokes nothing. A
            // store that cannot be opened is the error of the whole, and the body never begins.
            try await manager.lifecycle.requireRunning(within: .seconds(600), time)
            let result = try await body(manager)
            manager.beginShutdown()
            try await group.waitForAll()
            return result
        } catch {
            manager.beginShutdown()
            // What the body threw matters more than how the shutdown went, which its own event tells.
            try? await group.waitForAll()
            throw error
        }
    }
}
