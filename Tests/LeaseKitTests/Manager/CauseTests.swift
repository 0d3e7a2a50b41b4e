// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What a store's audit says about why a lease ended.
@Suite struct CauseTests {
    private static let styles = [BackendAbilities.CallStyle.suspending, .immediate]

    private static func run(
        style: BackendAbilities.CallStyle,
        _ body: @escaping @Sendable (ManagerFixture, CauseLog) async throws -> Void
    ) throws {
        try ManagerWorld.run({
            $0.style = style
            $0.settings.revocationConcurrency = 50
        }) { world in
            let audit = CauseLog(world.store)
            try await world.run(store: audit) { fixture in try await body(fixture, audit) }
        }
    }

    @Test(arguments: styles)
    func whatIsEndedTogetherKeepsItsOwnReason(style: BackendAbilities.CallStyle) throws {
        try Self.run(style: style) { fixture, audit in
            var expected: [LeaseID: LeaseCause] = [:]
            var orders: [LeaseCause] = []
            for number in 0..<3 {
                let cause = LeaseCause(.requested, actor: "ops-\(number)", requestID: "t-\(number)")
                orders.append(cause)
                for _ in 0..<3 {
                    let lease = try await fixture.mount.issue("app", IssueOptions(owner: "o-\(number)"))
                    expected[lease.id] = cause
                }
            }
            for _ in 0..<3 { expected[try await fixture.mount.issue("short").id] = LeaseCause(.expired) }
            // Down until everything is due, so that all of it goes in one round.
            fixture.target.partition(.refusing)
            try await fixture.wait(.seconds(61))
            for (lease, cause) in expected where cause.reason == .requested {
                let options = RevokeOptions(cause: cause, wait: .zero)
                _ = try await fixture.manager.revoke(.lease(lease), options)
            }
            fixture.target.heal()
            try await fixture.wait(.seconds(10))
            #expect(fixture.target.principals.isEmpty)
            #expect(audit.removals == expected)
        }
    }

    @Test(arguments: styles)
    func anOrderIsExpandedAndCarriedOutForItsOwnReason(style: BackendAbilities.CallStyle) throws {
        try Self.run(style: style) { fixture, audit in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            let other = try await fixture.mount.issue("app")
            let cause = LeaseCause(.requested, actor: "ops", requestID: "t-1")
            _ = try await fixture.manager.revoke(.tree(parent.id), RevokeOptions(cause: cause))
            _ = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(cause: cause))
            let below = LeaseCause(.parentEnded, actor: "ops", requestID: "t-1")
            #expect(audit.removals == [parent.id: cause, child.id: below, other.id: cause])
            #expect(!audit.expansions.isEmpty)
            #expect(audit.expansions.allSatisfy { $0 == cause })
        }
    }

    @Test func aClaimThatIsGivenBackIsSoForItsOwnReason() throws {
        try Self.run(style: .suspending) { fixture, audit in
            let parent = try await fixture.mount.issue("app")
            _ = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            fixture.target.script(.revoke, .delay(.seconds(5)))
            let cause = LeaseCause(.requested, actor: "ops", requestID: "t-1")
            _ = try await fixture.manager.revoke(.tree(parent.id), RevokeOptions(cause: cause))
            let written = audit.causes(of: parent.id).filter { $0.reason != .requested || $0.actor != nil }
            #expect(written.count >= 2)
            #expect(written.allSatisfy { $0 == cause })
        }
    }
}
