// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// A pool as it is often written, around a credential that somebody has to exchange in time.
actor NaivePool: Pool {
    /// What is done about the credential.
    enum Pattern: String, CaseIterable {
        /// A timer fetches a new one; connections that are there stay, and the old user is dropped at once.
        case swap = "naive: swap, and drop the old user"
        /// A timer fetches a new one; old connections are closed when they come back, and the old user is dropped after a
        /// fixed time.
        case evict = "naive: evict, drop after a while"
        /// Nobody looks at the time: another one is fetched when the server does not take this one any more.
        case fetchWhenRefused = "naive: fetch again when refused"
    }

    /// A connection, and the lease that it was opened by.
    private final class Pooled: Lent {
        let connection: Connection
        let lease: LeaseID

        init(_ connection: Connection, _ lease: LeaseID) {
            self.connection = connection
            self.lease = lease
        }

        var standing: CredentialUse.Standing? { nil }
        var timeLeft: Duration? { nil }
    }

    /// How long old connections are given: enough for what is asked most, and not for a report.
    private static let whatSeemsEnough = Duration.milliseconds(20)

    private let pattern: Pattern
    private let source: Mount<PostgresRequest, PostgresCredential>
    private let interval: Duration
    private let connect: @Sendable (PostgresCredential) async throws -> Connection
    private var lease: Lease<PostgresCredential>
    private var idle: [Pooled] = []
    /// Those that are lent.
    private var busy: [ObjectIdentifier: Pooled] = [:]
    private var evicted: Set<ObjectIdentifier> = []
    private(set) var rotations = 0

    /// - Parameter interval: How often a timer exchanges the credential.
    init(
        _ pattern: Pattern,
        _ source: Mount<PostgresRequest, PostgresCredential>,
        interval: Duration,
        _ connect: @escaping @Sendable (PostgresCredential) async throws -> Connection
    ) async throws {
        self.pattern = pattern
        self.source = source
        self.interval = interval
        self.connect = connect
        lease = try await source.issue("app")
    }

    func run() async throws {
        guard pattern != .fetchWhenRefused else { return }
        while true {
            try await RealTime.sleep(interval)
            let old = lease
            lease = try await source.issue("app")
            rotations += 1
            if pattern == .evict {
                let known = idle
                idle = []
                // One that is being opened at this moment is in neither place, and stays.
                evicted.formUnion(busy.keys)
                for pooled in known { await pooled.connection.close() }
                try await RealTime.sleep(Self.whatSeemsEnough)
            }
            try await source.revoke(old.id)
        }
    }

    func withConnection<Answer: Sendable>(
        _ body: @Sendable (any Lent) async throws -> Answer
    ) async throws -> Answer {
        let pooled = try await take()
        let key = ObjectIdentifier(pooled)
        busy[key] = pooled
        do {
            let answer = try await body(pooled)
            busy[key] = nil
            if evicted.remove(key) == nil { idle.append(pooled) } else { await pooled.connection.close() }
            return answer
        } catch {
            busy[key] = nil
            evicted.remove(key)
            await pooled.connection.close()
            throw error
        }
    }

    func close() async {
        let all = idle
        idle = []
        for pooled in all { await pooled.connection.close() }
    }

    private func take() async throws -> Pooled {
        if let pooled = idle.popLast() { return pooled }
        let used = lease
        do {
            return Pooled(try await connect(used.secret), used.id)
        } catch  where error.isRefusedLogin && pattern == .fetchWhenRefused {
            // Whoever is refused sees to it; that others do the same at this moment is not known here.
            if lease.id == used.id {
                lease = try await source.issue("app")
                rotations += 1
            }
            throw error
        }
    }
}
