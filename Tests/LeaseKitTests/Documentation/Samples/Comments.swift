// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Samples that stand in the comments of declarations.
@Suite struct CommentSamples {
    private func makeBackend() -> InMemoryBackend {
        let time = SystemTime()
        return InMemoryBackend(target: InMemoryTarget(time: time), time: time)
    }

    @Test(.timeLimit(.minutes(1))) func manager() async throws {
        let backend = makeBackend()
        // sample: manager-comment
        let manager = LeaseManager(store: InMemoryLeaseStore())
        let database = try await manager.mount(backend, at: "database")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            let lease = try await database.issue("app")
            print(lease)
            manager.beginShutdown()
            try await group.waitForAll()
        }
        // end sample
    }

    @Test(.timeLimit(.minutes(1))) func scope() async throws {
        let backend = makeBackend()
        // sample: scope-comment
        try await withLeaseManager { manager in
            let database = try await manager.mount(backend, at: "database")
            let lease = try await database.issue("app")
            print(lease)
        }
        // end sample
        #expect(backend.target.liveCredentials.isEmpty)
    }

    @Test func duration() throws {
        // sample: duration-comment
        let ttl = try LeaseDuration.parse("1h30m")
        print(LeaseDuration.text(of: ttl))  // 1h30m
        // end sample
        #expect(ttl == .seconds(5400))
    }

    @Test func secretText() throws {
        func connect(user: String, password: String) throws { #expect(password == "…") }
        let name = "app"
        // sample: secret-text-comment
        let password = SecretText("…")
        try password.withText { try connect(user: name, password: $0) }
        // end sample
    }
}
