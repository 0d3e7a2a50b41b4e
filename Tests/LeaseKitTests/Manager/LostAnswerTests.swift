// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// A store that did what it was asked, and whose answer was lost: what was done is told all the same.
@Suite struct LostAnswerTests {
    private static func run(
        style: BackendAbilities.CallStyle = .suspending,
        _ body: @escaping @Sendable (ManagerFixture, StoreScript) async throws -> Void
    ) throws {
        let script = StoreScript()
        try ManagerFixture.run({
            $0.style = style
            $0.settings.revocationConcurrency = 50
            $0.wrapStore = { script.store($0) }
        }) { fixture in
            try await body(fixture, script)
        }
    }

    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func aRemovalIsTold(style: BackendAbilities.CallStyle) throws {
        try Self.run(style: style) { fixture, script in
            let lease = try await fixture.mount.issue("app")
            let start = fixture.now
            script.next(.remove, .doneAndLost)
            let report = try await fixture.mount.revoke(lease.id)
            #expect((report.revoked, report.isComplete) == (1, true))
            #expect(fixture.now == start)
            #expect(fixture.log.kinds(of: lease.id).suffix(1) == [.revoked])
            #expect(fixture.log.events(.revoked).first?.state == nil)
            try await fixture.wait(.seconds(20))
            #expect(fixture.log.count(.revoked) == 1)
            #expect(fixture.log.count(.orderCompleted) == 1)
        }
    }

    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func aBatchIsTold(style: BackendAbilities.CallStyle) throws {
        try Self.run(style: style) { fixture, script in
            for _ in 0..<20 { _ = try await fixture.mount.issue("app") }
            let start = fixture.now
            script.next(.remove, .doneAndLost)
            let report = try await fixture.manager.revoke(.prefix("database"))
            #expect((report.revoked, report.isComplete) == (20, true))
            #expect(fixture.now == start)
            #expect(fixture.log.count(.revoked) == 20)
            #expect(fixture.log.count(.orderCompleted) == 1)
        }
    }

    @Test func aBatchThatWasNotDoneIsDoneAgain() throws {
        try Self.run { fixture, script in
            for _ in 0..<20 { _ = try await fixture.mount.issue("app") }
            script.next(.remove, .lost)
            let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .seconds(120)))
            #expect((report.alreadyGone, report.isComplete) == (20, true))
            #expect(fixture.log.count(.revoked) == 20)
        }
    }

    @Test func whatCouldNotBeReadEitherIsToldWithTheNextObservation() throws {
        try Self.run { fixture, script in
            let lease = try await fixture.mount.issue("app")
            script.next(.remove, .doneAndLost)
            script.next(.other(.find), .unavailable)
            let start = fixture.now
            let report = try await fixture.mount.revoke(lease.id)
            #expect((report.revoked, report.isComplete) == (1, true))
            #expect(start.duration(to: fixture.now) <= .seconds(10))
            #expect(fixture.log.count(.revoked) == 1)
            #expect(fixture.log.count(.orderCompleted) == 1)
        }
    }

    @Test func anOrderWhoseEndCouldNotBeReadIsToldWithTheNextObservation() throws {
        try Self.run { fixture, script in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .delay(.seconds(2)))
            let start = fixture.now
            try await withThrowingTaskGroup(of: RevocationReport.self) { group in
                group.addTask { try await fixture.mount.revoke(lease.id) }
                try await fixture.wait(.seconds(1))
                script.next(.other(.orders), .unavailable)
                let report = try #require(try await group.next())
                #expect(report.isComplete)
            }
            #expect(start.duration(to: fixture.now) <= .seconds(12))
            #expect(fixture.log.count(.orderCompleted) == 1)
        }
    }

    @Test func anAbandonmentIsAnswered() throws {
        try Self.run { fixture, script in
            let lease = try await fixture.mount.issue("app")
            script.next(.remove, .doneAndLost)
            #expect(try await fixture.manager.abandon(lease.id).id == lease.id)
            #expect(fixture.log.count(.abandoned) == 1)
            try await fixture.expectNoLeases()
        }
    }
}
