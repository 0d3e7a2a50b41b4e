// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A manager over an in-memory store, and a mount that issues leases for nothing.
struct World {
    let manager: LeaseManager
    let mount: Mount<Int, Void>

    /// Makes a manager that is not running.
    ///
    /// A backend that never waits does not mind.
    init(
        store: InMemoryLeaseStore = InMemoryLeaseStore(),
        style: BackendAbilities.CallStyle = .immediate,
        time: any LeaseTime = SystemTime()
    ) async throws {
        // What is left at the end goes with the store: nothing has to be revoked for it.
        let configuration = LeaseManager.Configuration(shutdownBudget: .zero)
        manager = LeaseManager(store: store, configuration: configuration, time: time)
        mount = try await manager.mount(NoOpBackend(style: style), at: "bench")
    }

    /// Issues `count` leases over all paths.
    func issue(_ count: Int, _ options: IssueOptions = IssueOptions()) async throws -> [LeaseID] {
        var leases: [LeaseID] = []
        leases.reserveCapacity(count)
        for number in 0..<count { leases.append(try await mount.issue(number, options).id) }
        return leases
    }

    /// Runs `body` while the manager runs.
    func running<Result: Sendable>(_ body: (World) async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            defer { manager.beginShutdown() }
            return try await body(self)
        }
    }

    /// Waits until no lease is left.
    func waitUntilEmpty() async throws {
        while try await manager.counts().total > 0 { try await Task.sleep(for: .milliseconds(2)) }
    }
}
