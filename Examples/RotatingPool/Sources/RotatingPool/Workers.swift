// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Synchronization

/// What came of the work.
struct Tally: Sendable {
    /// How many queries were answered.
    var queries = 0
    /// How many were not.
    var failed = 0
    /// How many of these because the server did not take the user and password.
    var refused = 0
    /// How many were answered to a user that was not to be used any more.
    var onRevoked = 0
    /// How many the server's restart cut off, and were asked again.
    var cutOff = 0
    /// What the first that failed was told.
    var firstFailure: String?
    /// What is known of the first that was answered to a user that was not to be used any more.
    var firstOnRevoked: Misuse?
}

/// Sixteen workers who ask without pause: mostly something short, one time in a hundred a report.
final class Workers: Sendable {
    private struct State {
        var tally = Tally()
        var isOver = false
        /// When the server was away; an end of nil is still to come.
        var outages: [(from: Duration, to: Duration?)] = []
    }

    private let pool: any Pool
    private let manager: LeaseManager
    private let state = Mutex(State())

    init(_ pool: any Pool, _ manager: LeaseManager) {
        self.pool = pool
        self.manager = manager
    }

    var tally: Tally { state.withLock { $0.tally } }

    func stop() { state.withLock { $0.isOver = true } }

    /// Runs what takes the server away for a while.
    func duringOutage(_ body: () async throws -> Void) async throws {
        state.withLock { $0.outages.append((RealTime.now, nil)) }
        try await body()
        state.withLock { $0.outages[$0.outages.count - 1].to = RealTime.now }
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask {
                    var number = worker * 6
                    while !self.state.withLock({ $0.isOver }) {
                        number += 1
                        await self.ask(number % 100 == 0 ? Self.report : Self.lookup)
                    }
                }
            }
        }
    }

    private static let lookup: PostgresStatement = "SELECT sum(cents) FROM orders"
    private static let mayLogIn: PostgresStatement = "SELECT rolcanlogin FROM pg_roles WHERE rolname = session_user"
    private static let report: PostgresStatement = "SELECT sum(cents) FROM orders, (SELECT pg_sleep(0.05)) AS work"

    private func ask(_ question: PostgresStatement) async {
        let began = RealTime.now
        do {
            let misuse = try await pool.withConnection { lent in
                let (lentAt, timeLeft) = (RealTime.now, lent.timeLeft)
                try await lent.connection.ask(question)
                let answeredAt = RealTime.now
                // While the connection is still in hand, both say whether its user may be there: the server, and the lease.
                let mayLogIn = try await lent.connection.ask(Self.mayLogIn)
                let record = try await self.manager.lease(lent.lease)
                return Misuse(
                    mayLogIn,
                    record,
                    at: RealTime.wall,
                    standing: lent.standing,
                    waited: lentAt - began,
                    lentWith: timeLeft,
                    query: answeredAt - lentAt,
                    held: RealTime.now - lentAt
                )
            }
            state.withLock { state in
                state.tally.queries += 1
                guard let misuse else { return }
                state.tally.onRevoked += 1
                if state.tally.firstOnRevoked == nil { state.tally.firstOnRevoked = misuse }
            }
        } catch {
            failed(error, from: began)
            // What every application does when its database is away.
            try? await RealTime.sleep(.milliseconds(20))
        }
    }

    private func failed(_ error: any Error, from began: Duration) {
        let isLost = (error as? PostgresError).map { $0.scope == .target || $0.kind == .ambiguous } ?? false
        state.withLock { state in
            let wasAway = state.outages.contains { began <= $0.to ?? .seconds(Int64.max) }
            if isLost, !error.isRefusedLogin, wasAway {
                state.tally.cutOff += 1
                return
            }
            state.tally.failed += 1
            if error.isRefusedLogin { state.tally.refused += 1 }
            if state.tally.firstFailure == nil { state.tally.firstFailure = "\(error)" }
        }
    }
}
