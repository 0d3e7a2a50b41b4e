// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// A manager in virtual time, and a holder's side beside it: a scheduler that runs, and a log of what it tells.
@dynamicMemberLookup
struct HolderFixture: Sendable {
    let fixture: ManagerFixture
    let scheduler: RenewalScheduler
    /// What the scheduler published; the manager's own log is `log`.
    let news: EventLog

    subscript<Value>(dynamicMember path: KeyPath<ManagerFixture, Value>) -> Value { fixture[keyPath: path] }

    /// The way to the mount `database`.
    var route: LeaseRoute<InMemoryRequest, FakeCredential> { LeaseRoute(fixture.mount) }
    /// What the continuous clock shows.
    var clock: Duration { fixture.time.read().continuous }

    func wait(_ duration: Duration) async throws { try await fixture.wait(duration) }

    /// How often the target was asked for a new credential.
    var issues: Int { fixture.target.arrivals(of: .issue) }
    var renewals: Int { fixture.target.arrivals(of: .renew) }

    /// A credential that rotates, for the role `app`, whose leases run for an hour.
    func credential(
        _ role: InMemoryRequest = "app",
        through route: LeaseRoute<InMemoryRequest, FakeCredential>? = nil,
        policy: RotationPolicy = RotationPolicy(),
        validate: (@Sendable (FakeCredential) async throws -> Void)? = nil
    ) -> RotatingCredential<FakeCredential> {
        RotatingCredential(role, through: route ?? self.route, on: scheduler, policy: policy, validate: validate)
    }

    /// Waits until something is so, a second at a time, for a day at most.
    func waitUntil(
        _ what: Comment,
        within limit: Int = 86_400,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        for _ in 0..<limit {
            if try await condition() { return }
            try await wait(.seconds(1))
        }
        try #require(try await condition(), what, sourceLocation: sourceLocation)
    }

    /// Runs `body` with a manager and a scheduler, which are both stopped afterwards, the scheduler first.
    static func run(
        _ change: @escaping @Sendable (inout ManagerSetup) -> Void = { _ in },
        scheduler configure: @escaping @Sendable (inout RenewalScheduler.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (HolderFixture) async throws -> Void
    ) throws {
        try ManagerFixture.run(change) { fixture in
            try await fixture.holding(scheduler: configure, body)
        }
    }
}

extension ManagerFixture {
    /// Runs `body` with a scheduler of its own.
    func holding(
        scheduler configure: (inout RenewalScheduler.Configuration) -> Void = { _ in },
        _ body: (HolderFixture) async throws -> Void
    ) async throws {
        let news = EventLog()
        var configuration = RenewalScheduler.Configuration(entropy: .seeded(7), observers: [news])
        configuration.executor = world.configuration().executor
        configure(&configuration)
        let scheduler = RenewalScheduler(configuration: configuration, time: time)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            let result: Result<Void, any Error>
            do {
                try await body(HolderFixture(fixture: self, scheduler: scheduler, news: news))
                result = .success(())
            } catch {
                result = .failure(error)
            }
            scheduler.beginShutdown()
            try await group.waitForAll()
            try result.get()
        }
    }
}
