// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// One run: a pool, its workers, and what the server says about the users meanwhile.
struct Trial: Sendable {
    /// What happens in the middle.
    enum Trouble: Sendable {
        /// The server is stopped and started again.
        case restart
        /// The server refuses to move the end of a user, for ten of the twenty minutes that a lease runs. Here a minute takes
        /// half a second.
        case refusedRenewals
        /// Now and then a login takes longer than its user lives. All the time, and not in the middle.
        case slowLogins
    }

    /// What a run came to.
    struct Outcome: Sendable {
        let name: String
        var tally = Tally()
        var rotations = 0
        var users = Watch.Seen()
        var left = 0
        var refusedRenewals = 0
        var slowLogins = 0
        var pauses = Pulse.Pauses()
        var length: Duration = .zero
        /// Whether the machine stood still, or the server let a login wait, for longer than a connection is to be in use, or an
        /// outage was that much longer than planned: then the run says nothing of the pool.
        var wasStarved = false
    }

    let server: Server
    let rotations: Int
    /// How often the credential rotates.
    let interval: Duration
    /// How long a user lives.
    ///
    /// It is replaced when a twentieth of that is over, and not two thirds as is usual: many rotations in little time, and time
    /// to spare when the machine is slow.
    var life: Duration { interval * 20 }
    /// How long a connection is in use at the longest, also on a busy machine.
    var longestUse: Duration { life / 2 }

    /// The pool that keeps a hold on its credential.
    func rotate(_ name: String, _ troubles: [Trouble]) async throws -> Outcome {
        let journal = Journal()
        let backend = try backend(ttl: life)
        return try await withManager(backend) { manager, database in
            let scheduler = RenewalScheduler(configuration: .init(observers: [journal]))
            let route = LeaseRoute(database, policy: RenewalPolicy(renewAt: 0.05))
            let credential = RotatingCredential("app", through: route, on: scheduler) { secret in
                try await connect(secret).close()
            }
            let pulse = Pulse()
            let delay = LoginDelay(life + .milliseconds(200), isOn: troubles.contains(.slowLogins))
            let pool = RotatingPool(credential, longestUse: longestUse) { secret in
                try await delay.pass()
                return try await pulse.connecting { try await connect(secret) }
            }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await scheduler.run() }
                var refused = 0
                var outcome = try await work(name, pool, manager, pulse) { workers in
                    let steps = troubles.count + 1
                    for (step, trouble) in troubles.enumerated() {
                        try await reach(1 + rotations * (step + 1) / steps, credential)
                        switch trouble {
                        case .restart: try await workers.duringOutage { try await server.restart?() }
                        case .refusedRenewals: refused += try await refuseRenewals(backend, credential, journal, pulse)
                        case .slowLogins: break
                        }
                    }
                    try await reach(1 + rotations, credential)
                } atEnd: {
                    // Drains and revokes what is held.
                    scheduler.beginShutdown()
                    try await group.waitForAll()
                }
                outcome.rotations = journal.count(.rotated) - 1
                outcome.refusedRenewals = refused
                outcome.slowLogins = delay.count
                return outcome
            }
        }
    }

    /// A pool without one, under the same load.
    func tryNaively(_ pattern: NaivePool.Pattern) async throws -> Outcome {
        let isTimed = pattern != .fetchWhenRefused
        return try await withManager(try backend(ttl: isTimed ? life : interval)) { manager, database in
            let pool = try await NaivePool(pattern, database, interval: interval) { try await connect($0) }
            var outcome = try await work(pattern.rawValue, pool, manager, Pulse()) { _ in
                if isTimed {
                    try await RealTime.wait(for: "rotations") { await pool.rotations >= rotations }
                } else {
                    // Refused workers fetch several for each that ended: this long it takes in an orderly way.
                    try await RealTime.sleep(interval * rotations)
                }
            } atEnd: {
                try await manager.revoke(.prefix("database"), RevokeOptions(wait: .seconds(60)))
            }
            outcome.rotations = await pool.rotations
            return outcome
        }
    }

    // MARK: - Parts

    private func backend(ttl: Duration) throws -> PostgresBackend {
        try PostgresBackend(
            client: LibPQClient(server.configuration(server.admin)),
            roles: ["app": Self.role(ttl: ttl, maximum: ttl)]
        )
    }

    /// Users whose logins cost little, so that the time goes to queries; others would leave `iterations` alone.
    private static func role(ttl: Duration, maximum: Duration) -> PostgresRole {
        PostgresRole(.memberOf("app_readers"), ttl: ttl, maximum: maximum, iterations: 1)
    }

    private func withManager(
        _ backend: PostgresBackend,
        _ body: (LeaseManager, Mount<PostgresRequest, PostgresCredential>) async throws -> Outcome
    ) async throws -> Outcome {
        try await withLeaseManager { manager in
            let settings = MountSettings(probeInterval: .milliseconds(250))
            return try await body(manager, manager.mount(backend, at: "database", settings))
        }
    }

    private func connect(_ secret: PostgresCredential) async throws -> Connection {
        try await Connection(server.configuration(secret))
    }

    /// Lets the workers work while `body` runs, and counts.
    private func work(
        _ name: String,
        _ pool: any Pool,
        _ manager: LeaseManager,
        _ pulse: Pulse,
        _ body: (Workers) async throws -> Void,
        atEnd end: () async throws -> Void
    ) async throws -> Outcome {
        let (workers, watch, began) = (Workers(pool, manager), Watch(server), RealTime.now)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run() }
            group.addTask { await pulse.run() }
            try await withThrowingTaskGroup(of: Void.self) { keeping in
                keeping.addTask { try? await pool.run() }
                try await withThrowingTaskGroup(of: Void.self) { load in
                    load.addTask { await workers.run() }
                    defer { workers.stop() }
                    try await body(workers)
                    workers.stop()
                    try await load.waitForAll()
                }
                // Whatever exchanges credentials comes to its end before the last of them is given back.
                keeping.cancelAll()
                try await keeping.waitForAll()
            }
            await pool.close()
            let length = RealTime.now - began
            try await end()
            let left = try await watch.count()
            group.cancelAll()
            try await group.waitForAll()
            return Outcome(
                name: name,
                tally: workers.tally,
                users: watch.seen,
                left: left,
                pauses: pulse.pauses,
                length: length,
                wasStarved: pulse.pauses.worst >= longestUse
            )
        }
    }

    /// Waits for a generation.
    private func reach(_ number: Int, _ credential: RotatingCredential<PostgresCredential>) async throws {
        try await RealTime.wait(for: "generation \(number)") {
            credential.current.map { $0.generation.rawValue >= UInt64(number) } ?? false
        }
    }

    /// Has renewals refused for a while; how many were.
    private func refuseRenewals(
        _ backend: PostgresBackend,
        _ credential: RotatingCredential<PostgresCredential>,
        _ journal: Journal,
        _ pulse: Pulse
    ) async throws -> Int {
        // From now on a lease runs for twenty minutes, and can be renewed; those before could not.
        let renewals = journal.count(.renewed)
        try backend.setRole("app", Self.role(ttl: .seconds(10), maximum: .seconds(3_600)))
        try await RealTime.wait(for: "a lease of twenty minutes") { journal.count(.renewed) > renewals }
        // Its predecessor is to be gone: this is about renewals alone.
        let watch = Watch(server)
        try await RealTime.wait(for: "a single user at the server") { try await watch.count() == 1 }
        let before = journal.count(.renewalFailed)
        let generation = credential.current?.generation
        let began = RealTime.now
        try await server.withoutTheAdminsRight {
            try await RealTime.sleep(.seconds(5))
        }
        let refused = journal.count(.renewalFailed) - before
        let renewed = journal.count(.renewed)
        try await RealTime.wait(for: "a renewal") { journal.count(.renewed) > renewed }
        // A lease runs for ten seconds, and the pool asks for half a user's life: five and this much more are to fit in between.
        let overtime = RealTime.now - began - .seconds(5)
        pulse.noteOvertime(overtime)
        if overtime < longestUse, credential.current?.generation != generation { throw CredentialWasReplaced() }
        try backend.setRole("app", Self.role(ttl: life, maximum: life))
        return refused
    }

    /// A credential that could not be renewed for a while was replaced, though it had time left.
    struct CredentialWasReplaced: Error {}
}
