// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// Events about orders name the order, and a path only where there is one.
@Suite struct OrderEventTests {
    private struct Placed: Equatable {
        let path: String
        let lease: LeaseID?
        let note: String?
    }

    @Test(.timeLimit(.minutes(5))) func nameWhatTheOrderIsAbout() async throws {
        let (events, lease, mount, byPrefix) = try await withLeaseManager { manager in
            let events = manager.events()
            let sessions = try await manager.mountSessions(at: "sessions")
            let lease = try await sessions.issue("anna")
            let byPrefix = try await manager.revoke(.prefix("sessions/other"), RevokeOptions(wait: .zero))
            try await manager.revoke(.tree(lease.id), RevokeOptions(wait: .zero))
            try await manager.revoke(.mount(sessions.id), RevokeOptions(wait: .zero))
            return (events, lease, sessions.id, byPrefix)
        }

        var placed: [Placed] = []
        var lines: [String] = []
        for await element in events where element.event.kind == .orderPlaced {
            let event = element.event
            placed.append(Placed(path: event.path, lease: event.lease, note: event.note))
            lines.append("\(event)")
        }
        #expect(
            placed.prefix(3) == [
                Placed(path: "sessions/other", lease: nil, note: "every lease under sessions/other"),
                Placed(path: "", lease: lease.id, note: "lease \(lease.id) and everything below it"),
                Placed(path: "sessions", lease: nil, note: "every lease of \(mount)"),
            ]
        )
        #expect(lines.first == "orderPlaced \(byPrefix.order) (requested): every lease under sessions/other")
    }

    @Test func aLeaseWithoutAPathHasNoSlashInFront() {
        let event = LeaseEvent(.orphanFound, at: .distantPast, lease: LeaseID(high: 0, low: 1))
        #expect("\(event)" == "orphanFound 00000000000000000000000001")
    }
}
