// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension PostgresBackend {
    /// Which cluster this is: its system identifier, which its standbys share.
    ///
    /// An admin who may not read that is told by the database and the role, which tells less: two clusters that were set up
    /// alike look the same.
    public func fingerprint(_ call: BackendCall) async throws -> String? {
        let times = CallTimes(call, at: time.read())
        return try await classified {
            let database = try await learn(times)
            _ = try await endForerunners(of: call, times, database)
            return try await self.session(times) { session in
                let weak = PostgresStatement(
                    """
                    SELECT pg_catalog.concat('database-', d.oid, '-', r.oid)
                    FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
                    WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user
                    """
                )
                let strong = PostgresStatement(
                    "SELECT pg_catalog.concat('cluster-', system_identifier) FROM pg_catalog.pg_control_system()"
                )
                let answers = await session.attempt([strong, weak])
                if case .success(let result)? = answers.first { return result.first }
                guard let last = answers.last else { return nil }
                return try last.get().first
            }
        }
    }

    /// Asks what the server is and what the admin may do there, and reads its clock.
    @discardableResult
    func learn(_ times: CallTimes) async throws -> ServerFacts {
        try await session(times) { session in
            let sent = self.time.read().continuous
            let result = try await session.transaction([SQLTexts.catalogOnly, ServerFacts.question])[1]
            guard let facts = ServerFacts(result) else {
                throw BackendFailure(.transient, scope: .target, "the server does not say what it is")
            }
            self.known.withLock { $0.facts = facts }
            self.note(clock: result.rows.first?.last ?? nil, sent: sent)
            return facts
        }
    }

    /// What is known of the server; asked when nobody has asked yet.
    func facts(_ times: CallTimes) async throws -> (facts: ServerFacts, clock: ServerClock) {
        if let known = both { return known }
        try await learn(times)
        guard let known = both else {
            throw BackendFailure(.transient, scope: .target, "the server does not say what time it is")
        }
        return known
    }

    private var both: (facts: ServerFacts, clock: ServerClock)? {
        known.withLock { known in
            guard let facts = known.facts, let clock = known.clock else { return nil }
            return (facts, clock)
        }
    }

    /// Takes a new reading of the server's clock, as a statement answered it.
    func note(clock text: String??, sent: Duration) {
        guard let text = text ?? nil, let microseconds = Int64(text) else { return }
        let clock = ServerClock(microseconds: microseconds, sent: sent, received: time.read().continuous)
        known.withLock { $0.clock = clock }
    }

    /// Has the next call ask the server what time it is: it may have been set, or be another server's by now.
    func forgetClock() { known.withLock { $0.clock = nil } }

    /// Ends transactions that earlier starts of this manager left at the server, once for each start.
    ///
    /// They cannot do harm, see `CreationScript`, but may hold locks that others wait for.
    func endForerunners(of call: BackendCall, _ times: CallTimes, _ facts: ServerFacts) async throws {
        guard let start = call.start, start.isAlone, known.withLock({ $0.recovered }) != start else { return }
        let own = SQLQuoting.literal(Self.applicationPrefix(of: call))
        let question = PostgresStatement(
            """
            SELECT count(*) FILTER (WHERE NOT pg_terminate_backend(a.pid, 1000))
            FROM pg_catalog.pg_stat_activity a
            WHERE a.usename = current_user AND a.pid <> pg_backend_pid() AND starts_with(a.application_name, \(own))
                AND substr(a.application_name, length(\(own)) + 1) ~ '^[0-9]{1,10}$'
                AND substr(a.application_name, length(\(own)) + 1)::bigint < $1::bigint
            """,
            ["\(start.incarnation.rawValue)"]
        )
        do {
            _ = try await ask(question, times)
        } catch let error as PostgresError where error.scope == .lease && !error.isRetryable {
            // An admin that may not is no worse off than without the attempt.
        }
        known.withLock { $0.recovered = start }
    }

    /// Asks a database one thing, by the catalog's own functions.
    func ask(_ question: PostgresStatement, _ times: CallTimes, database: String? = nil) async throws -> PostgresResult
    {
        try await session(times, database: database) { try await $0.transaction([SQLTexts.catalogOnly, question])[1] }
    }

    /// What a session calls itself while a transaction of a call runs: the deployment and the start of the manager.
    ///
    /// PostgreSQL keeps 63 bytes of it.
    static func application(of call: BackendCall) -> String {
        applicationPrefix(of: call) + (call.start.map { "\($0.incarnation.rawValue)" } ?? "-")
    }

    private static func applicationPrefix(of call: BackendCall) -> String {
        let deployment = RoleTag.escaped(call.mark.deployment)
        // A name that is too long is told apart by its hash.
        let name =
            deployment.utf8.count <= 40
            ? deployment : "\(deployment.prefix(20))~\(UInt64(bitPattern: SQLTexts.key(of: deployment)))"
        return "leasekit/\(name)/"
    }

    /// Lends a session for what is left of a call's time.
    func session<R: Sendable>(
        _ times: CallTimes,
        database: String? = nil,
        _ body: @Sendable (any PostgresSession) async throws -> R
    ) async throws -> R {
        let left = times.left(at: time.read().continuous)
        guard left > .zero else {
            throw BackendFailure(.transient, code: "late", "the call's time was over before it was made")
        }
        // What runs out of time is cancelled at the server, and its answer is waited for: that is to be over by the deadline, too.
        let timeout = max(left / 2, left - Self.patience)
        return try await client.withSession(database: database, timeout: timeout, body)
    }

    /// How much of a call's time is kept for the cancellation of a statement.
    private static let patience = Duration.seconds(2)

    /// Tells the manager of a failure in its own terms.
    func classified<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as PostgresError {
            throw error.backendFailure
        }
    }

    /// Waits a moment before another try, about twice as long each time; false when there is no time for one.
    func pause(before attempt: Int, _ times: CallTimes) async throws -> Bool {
        let longest = Duration.milliseconds(min(5 << min(attempt, 6), 250))
        let wait = longest * (0.5 + entropy.unit() / 2)
        let now = time.read().continuous
        guard times.left(at: now) > wait else { return false }
        try await time.sleep(until: now + wait)
        return true
    }
}
