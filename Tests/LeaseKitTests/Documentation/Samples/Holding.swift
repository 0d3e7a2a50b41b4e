// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

// sample: holding-a-source
struct ReportJob {
    let database: any LeaseSource<InMemoryRequest, FakeCredential>

    func run() async throws -> Int {
        try await database.withLease("report") { lease in
            try await countRows(user: lease.secret.username, password: lease.secret.password)
        }
    }
}
// end sample

private func countRows(user: String, password: String) async throws -> Int { user.isEmpty || password.isEmpty ? 0 : 42 }

@Suite struct HoldingSamples {
    private func withDatabase(
        _ body:
            @Sendable @escaping (
                LeaseManager, Mount<InMemoryRequest, FakeCredential>, InMemoryTarget, VirtualTime
            ) async throws -> Void
    ) throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 1, time: time)
        let target = InMemoryTarget(time: time)
        let backend = InMemoryBackend(
            target: target,
            time: time,
            roles: ["app": InMemoryRole(limits: TTLLimits(ttl: .seconds(900))), "report": InMemoryRole()]
        )
        let configuration = LeaseManager.Configuration(entropy: .seeded(1), executor: executor)
        try executor.drive {
            try await withLeaseManager(configuration: configuration, time: time) { manager in
                try await body(manager, try await manager.mount(backend, at: "database"), target, time)
            }
        }
    }

    @Test func source() throws {
        try withDatabase { _, database, target, _ in
            let rows = try await ReportJob(database: database).run()
            #expect(rows == 42)
            #expect(target.liveCredentials.isEmpty)
        }
    }

    @Test func options() throws {
        try withDatabase { _, database, _, _ in
            // sample: issue-options
            let lease = try await database.issue(
                "app",
                IssueOptions(
                    ttl: .seconds(600),
                    explicitMaximum: .seconds(3600),
                    owner: "billing",
                    labels: ["job": "nightly"],
                    requestID: "2026-03-01/17",
                    actor: "scheduler"
                )
            )
            print(lease.terms.boundBy, lease.expiresAt)
            // end sample
            #expect(lease.terms.boundBy == .request)
        }
    }

    @Test func renewal() throws {
        try withDatabase { _, database, _, _ in
            let lease = try await database.issue("app", IssueOptions(explicitMaximum: .seconds(1200)))
            // sample: renewal-outcome
            let outcome = try await database.renew(lease.id, RenewOptions(increment: .seconds(3600)))
            if outcome.isTruncated || outcome.isAtMaximum {
                print(
                    "granted \(LeaseDuration.text(of: outcome.granted)), bound by the \(outcome.boundBy); issue a new one"
                )
            }
            // end sample
            #expect(outcome.isTruncated && outcome.isAtMaximum)
        }
    }

    @Test func cascade() throws {
        try withDatabase { manager, database, target, _ in
            // sample: sessions
            let sessions = try await manager.mountSessions(at: "sessions")
            let session = try await sessions.issue("anna", IssueOptions(ttl: .seconds(28_800)))
            let child = try await database.issue("app", IssueOptions(parent: session.id))
            // What hangs on the session ends with it, children first.
            let report = try await sessions.revoke(session.id)
            // end sample
            #expect(report.revoked == 2 && !target.check(child.secret))
        }
    }

    @Test func prefix() throws {
        try withDatabase { manager, database, _, _ in
            _ = try await database.issue("app")
            // sample: prefix
            let options = RevokeOptions(
                cause: LeaseCause(.requested, actor: "ops"),
                isClosing: true,
                wait: .seconds(10)
            )
            let report = try await manager.revoke(.prefix("database/creds/app"), options)
            if !report.isComplete {
                // The order goes on in the background, also after a crash. Its report can be asked for again.
                print(try await manager.report(of: report.order))
            }
            try await manager.reopen(report.order)
            // end sample
            #expect(report.isComplete && report.revoked == 1)
        }
    }

    @Test func errors() throws {
        try withDatabase { _, database, target, _ in
            target.partition(.refusing)
            // sample: errors
            do {
                print(try await database.issue("app"))
            } catch let error as LeaseError where error.isRetryable {
                print("later, in \(error.retryAfter ?? .seconds(1)): \(error)")
            } catch let error as LeaseError where error.code == .unknownRole {
                print("not without a change: \(error)")
            }
            // end sample
        }
    }
}
