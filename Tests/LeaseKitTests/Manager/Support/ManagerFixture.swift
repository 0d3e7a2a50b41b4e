// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// A manager that runs in virtual time, over an in-memory target with the mount `database` on it.
///
/// Everything runs on one seeded thread: when nothing else can go on, the time moves to the next deadline. So a test sleeps
/// for days and waits for nothing. `LEASEKIT_SEED` shuffles who goes first.
struct ManagerFixture: Sendable {
    let world: ManagerWorld
    let manager: LeaseManager
    let backend: InMemoryBackend
    let mount: Mount<InMemoryRequest, FakeCredential>

    var time: VirtualTime { world.time }
    var target: InMemoryTarget { world.target }
    var log: EventLog { world.log }
    var store: InMemoryLeaseStore { world.store }
    /// What time it is.
    var now: LeaseInstant { world.time.wall }

    /// Runs `body` with a manager that is stopped afterwards.
    static func run(
        _ change: (inout ManagerSetup) -> Void = { _ in },
        _ body: @escaping @Sendable (ManagerFixture) async throws -> Void
    ) throws {
        try ManagerWorld.run(change) { world in try await world.run(body) }
    }

    /// Lets time pass, and everything happen that happens in it.
    func wait(_ duration: Duration) async throws { try await time.sleep(for: duration) }

    /// Whether the target still has a lease's credential, by whatever password.
    func isLive(_ lease: LeaseID) -> Bool { target.liveCredentials.contains { $0.mark?.lease == lease } }

    /// Expects that no lease is left, in whatever state.
    func expectNoLeases(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let records = try await manager.page().records
        #expect(records.isEmpty, "\(records.map { "\($0.name) \($0.state)" })", sourceLocation: sourceLocation)
    }

    /// Issues a lease and expects its credential to open the target.
    @discardableResult
    func expectIssue(
        _ options: IssueOptions = IssueOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Lease<FakeCredential> {
        let lease = try await mount.issue("app", options)
        #expect(target.check(lease.secret), sourceLocation: sourceLocation)
        return lease
    }

    /// Waits until an event of a kind is in the log, for an hour at most.
    func waitFor(_ kind: LeaseEvent.Kind, count: Int = 1) async throws {
        for _ in 0..<3_600 where log.count(kind) < count { try await wait(.seconds(1)) }
        try #require(log.count(kind) >= count, "there was no \(kind) within an hour")
    }
}

/// What outlives a manager: time, target, store and log.
struct ManagerWorld: Sendable {
    let setup: ManagerSetup
    let time: VirtualTime
    let target: InMemoryTarget
    let store: InMemoryLeaseStore
    let log = EventLog()
    private let executor: SeededExecutor

    /// Runs `body` in a world of its own, until it is done or a year of virtual time is over.
    static func run(
        _ change: (inout ManagerSetup) -> Void = { _ in },
        _ body: @escaping @Sendable (ManagerWorld) async throws -> Void
    ) throws {
        var setup = ManagerSetup()
        change(&setup)
        let time = VirtualTime()
        let executor = SeededExecutor(seed: SeededGenerator.seed(or: 1), time: time, maximumPicks: 5_000_000)
        let world = ManagerWorld(
            setup: setup,
            time: time,
            target: InMemoryTarget(time: time),
            store: InMemoryLeaseStore(deployment: "tests", simulatedDurability: setup.isDurable),
            executor: executor
        )
        try executor.drive(timeLimit: .seconds(366 * 86_400)) { try await body(world) }
    }

    /// What a manager in this world is configured with.
    func configuration(seed: UInt64 = 1) -> LeaseManager.Configuration {
        var configuration = setup.configuration
        configuration.entropy = .seeded(seed)
        configuration.executor = executor
        configuration.observers.append(log)
        return configuration
    }

    /// A backend on this world's target.
    func makeBackend(seed: UInt64 = 1) -> InMemoryBackend {
        var abilities = setup.abilities
        abilities.callStyle = setup.style
        return InMemoryBackend(
            target: target,
            time: time,
            roles: setup.roles,
            abilities: abilities,
            slack: setup.slack,
            entropy: .seeded(seed &+ 100),
            crash: setup.crash
        )
    }

    /// A manager that does not run, with its mount.
    func makeManager(
        store other: (any LeaseStore)? = nil,
        backend: InMemoryBackend? = nil,
        seed: UInt64 = 1
    ) async throws -> ManagerFixture {
        let manager = LeaseManager(
            store: other ?? setup.wrapStore(store),
            configuration: configuration(seed: seed),
            time: time
        )
        return try await fixture(of: manager, backend ?? makeBackend(seed: seed))
    }

    /// Runs `body` with a manager that is stopped afterwards.
    func run(
        store other: (any LeaseStore)? = nil,
        backend: InMemoryBackend? = nil,
        seed: UInt64 = 1,
        _ body: (ManagerFixture) async throws -> Void
    ) async throws {
        try await withLeaseManager(
            store: other ?? setup.wrapStore(store),
            configuration: configuration(seed: seed),
            time: time
        ) { manager in
            try await body(fixture(of: manager, backend ?? makeBackend(seed: seed)))
        }
    }

    private func fixture(of manager: LeaseManager, _ backend: InMemoryBackend) async throws -> ManagerFixture {
        let mount = try await manager.mount(backend, at: "database", setup.settings)
        return ManagerFixture(world: self, manager: manager, backend: backend, mount: mount)
    }
}
