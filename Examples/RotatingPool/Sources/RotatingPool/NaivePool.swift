// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A pool as it is often written: a timer fetches a new credential, and something is done about the old one.
actor NaivePool: Pool {
    enum Pattern: String, CaseIterable {
        /// The new credential reaches the settings; connections that are there stay, and the old user is dropped at once.
        case revokeAtOnce = "revoke the old one at once"
        /// Idle connections are closed, and the old user is dropped after a fixed time.
        case softEviction = "evict what is idle, revoke after 5 s"
        /// Nobody renews in time: the credential is fetched again when it has ended.
        case fetchWhenRejected = "fetch again when it is rejected"
    }

    private let pattern: Pattern
    private let database: any Database
    private let source: Mount<InMemoryRequest, FakeCredential>
    private let time: VirtualTime
    private var lease: Lease<FakeCredential>
    private var idle: [Connection] = []

    init(
        _ pattern: Pattern,
        _ database: any Database,
        _ source: Mount<InMemoryRequest, FakeCredential>,
        _ time: VirtualTime
    ) async throws {
        self.pattern = pattern
        self.database = database
        self.source = source
        self.time = time
        lease = try await source.issue("app")
    }

    func run() async throws {
        guard pattern != .fetchWhenRejected else { return }
        while true {
            let left = lease.validUntil - time.read().continuous
            try await time.sleep(for: left * 2 / 3)
            let old = lease
            lease = try await source.issue("app")
            if pattern == .softEviction {
                idle = []
                try await time.sleep(for: .seconds(5))
            }
            try await source.revoke(old.id)
        }
    }

    func query(taking length: Duration) async throws {
        let connection: Connection
        if let found = idle.popLast() {
            connection = found
        } else {
            do {
                connection = try await database.connect(lease.secret)
            } catch Trouble.rejected {
                if pattern == .fetchWhenRejected { lease = try await source.issue("app") }
                throw Trouble.rejected
            }
        }
        try await database.query(connection, taking: length)
        idle.append(connection)
    }
}
