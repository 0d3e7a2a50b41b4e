// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct RevokeTests {
    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func oneLease(style: BackendAbilities.CallStyle) throws {
        try ManagerFixture.run({ $0.style = style }) { fixture in
            let (one, two) = (try await fixture.mount.issue("app"), try await fixture.mount.issue("app"))
            let cause = LeaseCause(.requested, actor: "ops", requestID: "t-1")
            let report = try await fixture.manager.revoke(.lease(one.id), RevokeOptions(cause: cause))
            #expect(report.isComplete)
            #expect((report.revoked, report.covered) == (1, 1))
            #expect(report.description == "order \(report.order): 1 revoked")
            #expect(!fixture.target.check(one.secret))
            #expect(fixture.target.check(two.secret))
            try await fixture.wait(.seconds(1))
            #expect(fixture.log.kinds(of: one.id) == [.issued, .orderPlaced, .revoked])
            #expect(fixture.log.count(.orderCompleted) == 1)
            #expect(fixture.log.events(.revoked).first?.cause == cause)
            #expect(fixture.log.events(.revoked).first?.state == nil)
        }
    }

    @Test func aLeaseThatOthersHangOnIsRefusedAlone() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            let child = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            await expectRefusal(.hasChildren, "revoke the tree, or detach them first") {
                try await fixture.manager.revoke(.lease(parent.id))
            }
            #expect(fixture.target.check(parent.secret))
            try await fixture.manager.detach(child.id)
            #expect(try await fixture.manager.revoke(.lease(parent.id)).revoked == 1)
            #expect(fixture.target.check(child.secret))
        }
    }

    @Test func aTreeGoesChildrenFirst() throws {
        try ManagerFixture.run { fixture in
            var chain = [try await fixture.mount.issue("app")]
            for _ in 0..<4 {
                chain.append(try await fixture.mount.issue("app", IssueOptions(parent: chain[chain.count - 1].id)))
            }
            let report = try await fixture.manager.revoke(.tree(chain[0].id))
            #expect(report.revoked == 5)
            let ended = fixture.target.history.filter { $0.action == .ended }.compactMap { $0.mark?.lease }
            #expect(ended == chain.reversed().map(\.id))
        }
    }

    @Test func aPrefixCoversWholeSegments() throws {
        try ManagerFixture.run({
            $0.roles["application"] = InMemoryRole()
            $0.roles["app/deep"] = InMemoryRole()
        }) { fixture in
            let app = try await fixture.mount.issue("app")
            let deep = try await fixture.mount.issue("app/deep")
            let longer = try await fixture.mount.issue("application")
            let report = try await fixture.manager.revoke(.prefix("database/creds/app"))
            #expect(report.revoked == 2)
            #expect(!fixture.target.check(app.secret))
            #expect(!fixture.target.check(deep.secret))
            #expect(fixture.target.check(longer.secret))
        }
    }

    @Test func theEmptyPrefixIsEverything() throws {
        try ManagerFixture.run { fixture in
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            _ = try await sessions.issue("job")
            for _ in 0..<3 { _ = try await fixture.mount.issue("app") }
            #expect(try await fixture.manager.revoke(.prefix("")).revoked == 4)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aMountAndAThousandLeases() throws {
        try ManagerFixture.run({ $0.style = .immediate }) { fixture in
            for _ in 0..<1_000 { _ = try await fixture.mount.issue("app") }
            let report = try await fixture.manager.revoke(.mount(fixture.mount.id))
            #expect(report.revoked == 1_000)
            #expect(fixture.target.principals.isEmpty)
            try await fixture.wait(.seconds(1))
            #expect(fixture.log.count(.orderCompleted) == 1)
        }
    }

    @Test func batchesAreEndedInFewRounds() throws {
        try ManagerFixture.run({ $0.settings.revocationConcurrency = 200 }) { fixture in
            for _ in 0..<120 { _ = try await fixture.mount.issue("app") }
            fixture.target.script(.revoke, .none, .failBefore(.denied), .none, .failBefore(.transient))
            let report = try await fixture.manager.revoke(.mount(fixture.mount.id))
            #expect((report.revoked, report.stuck, report.stillTried) == (119, 1, 0))
            #expect(report.remaining.count == 1)
            #expect(report.remaining.first?.state == .stuck)
            #expect(report.description == "order \(report.order): 119 revoked, 1 stuck")
        }
    }

    @Test func aClosingOrderKeepsNewLeasesOutUntilItIsReopened() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue("app")
            let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(isClosing: true))
            await expectRefusal(.pathClosed, "closed by order \(report.order)", "reopen(_:)") {
                try await fixture.mount.issue("app")
            }
            #expect(try await fixture.manager.openOrders().map(\.id) == [report.order])
            #expect(try await fixture.manager.reopen(report.order))
            try await fixture.expectIssue()
            #expect(try await fixture.manager.openOrders().isEmpty)
        }
    }

    @Test func anOrderThatDoesNotCloseLetsLaterLeasesLive() throws {
        try ManagerFixture.run { fixture in
            let before = try await fixture.mount.issue("app")
            fixture.target.partition(.refusing)
            let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .zero))
            fixture.target.heal()
            try await fixture.wait(.seconds(4))
            let after = try await fixture.expectIssue()
            #expect(try await fixture.manager.waitForReport(of: report.order).revoked == 1)
            #expect(!fixture.target.check(before.secret))
            #expect(fixture.target.check(after.secret))
        }
    }

    @Test func aWaitOfZeroReturnsAtOnceAndTheReportComesLater() throws {
        try ManagerFixture.run { fixture in
            for _ in 0..<3 { _ = try await fixture.mount.issue("app") }
            let start = fixture.now
            let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .zero))
            #expect(fixture.now == start)
            #expect(!report.isComplete)
            #expect(!report.isExpanded)
            #expect(report.description.hasSuffix("still looking for more"))
            let final = try await fixture.manager.waitForReport(of: report.order)
            #expect(final.isComplete)
            #expect(final.revoked == 3)
        }
    }

    @Test func aWaitThatEndsFirstNamesWhatIsLeft() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.partition(.silent)
            let start = fixture.now
            let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(5)))
            #expect(fixture.now == start + .seconds(5))
            #expect((report.stillTried, report.isComplete) == (1, false))
            #expect(report.remaining.first?.lease == lease.id)
            fixture.target.heal()
            try await fixture.wait(.seconds(60))
            #expect(try await fixture.manager.report(of: report.order).isComplete)
        }
    }

    @Test func cancellingTheCallerStopsTheWaitingAndNotTheRevoking() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .delay(.seconds(3)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { _ = try await fixture.mount.revoke(lease.id) }
                }
                try? await fixture.wait(.seconds(1))
                group.cancelAll()
            }
            try await fixture.wait(.seconds(3))
            #expect(!fixture.target.check(lease.secret))
            try await fixture.expectNoLeases()
        }
    }

    @Test func withoutRunAnOrderStandsAndSaysWhatIsMissing() throws {
        try ManagerWorld.run { world in
            let lease = try await issueAndStop(world)
            let fixture = try await world.makeManager(seed: 2)
            let start = fixture.now
            let order = RevocationOrderID(rawValue: 77)
            let words = "order \(order) is written down"
            await expectRefusal(.managerNotRunning, words, "run()", "task group or service group") {
                try await fixture.mount.revoke(lease, RevokeOptions(orderID: order))
            }
            #expect(fixture.now == start + .seconds(5))
            await expectRefusal(.managerNotRunning, words) {
                try await fixture.manager.waitForReport(of: order, atMost: .seconds(2))
            }
            #expect(fixture.now == start + .seconds(7))
            let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .zero))
            #expect(!report.isComplete)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await fixture.manager.run() }
                #expect(try await fixture.manager.waitForReport(of: order).revoked == 1)
                fixture.manager.beginShutdown()
                try await group.waitForAll()
            }
            #expect(world.target.principals.isEmpty)
        }
    }

    @Test func aRunThatComesInTimeIsWaitedFor() throws {
        try ManagerWorld.run { world in
            let lease = try await issueAndStop(world)
            let fixture = try await world.makeManager(seed: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await fixture.wait(.seconds(3))
                    try await fixture.manager.run()
                }
                #expect(try await fixture.mount.revoke(lease).revoked == 1)
                fixture.manager.beginShutdown()
                try await group.waitForAll()
            }
        }
    }

    private func issueAndStop(_ world: ManagerWorld) async throws -> LeaseID {
        let lease = Locked<LeaseID?>(nil)
        try await world.run { fixture in
            let issued = try await fixture.mount.issue("app").id
            lease.withLock { $0 = issued }
        }
        return try #require(lease.withLock { $0 })
    }

    @Test(arguments: [false, true])
    func aMountRevokesOnlyItsOwnAlsoFromACancelledTask(isRunning: Bool) throws {
        try ManagerWorld.run({ $0.style = .immediate }) { world in
            let fixture = try await world.makeManager()
            let sessions = try await fixture.manager.mountSessions(at: "sessions")
            let lease = try await fixture.mount.issue("app")
            let session = try await sessions.issue("job")
            try await withThrowingTaskGroup(of: Void.self) { group in
                if isRunning {
                    group.addTask { try await fixture.manager.run() }
                    // Time moves when nothing else can: then it runs.
                    try await fixture.wait(.seconds(1))
                }
                await withTaskGroup(of: Void.self) { cancelled in
                    cancelled.cancelAll()
                    cancelled.addTask {
                        await expectRefusal(.leaseNotFound) { try await sessions.revoke(lease.id) }
                        _ = try? await sessions.revoke(session.id)
                    }
                }
                #expect(world.target.check(lease.secret))
                #expect(try await fixture.manager.lease(session.id) == nil)
                await expectRefusal(.leaseNotFound) { try await sessions.revoke(lease.id) }
                #expect(try await fixture.mount.revoke(lease.id).revoked == 1)
                fixture.manager.beginShutdown()
                try await group.waitForAll()
            }
        }
    }

    @Test func placingAnOrderTwiceIsPlacingItOnce() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue("app")
            let options = RevokeOptions(orderID: RevocationOrderID(rawValue: 42))
            #expect(try await fixture.manager.revoke(.prefix("database"), options).revoked == 1)
            let second = try await fixture.mount.issue("app")
            let again = try await fixture.manager.revoke(.prefix("database"), options)
            #expect(again.revoked == 1)
            #expect(fixture.target.check(second.secret))
        }
    }

    @Test func twoOrdersOverOneLeaseBothComplete() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .delay(.seconds(2)))
            try await withThrowingTaskGroup(of: RevocationReport.self) { group in
                group.addTask { try await fixture.manager.revoke(.lease(lease.id)) }
                group.addTask { try await fixture.manager.revoke(.prefix("database")) }
                for try await report in group { #expect(report.isComplete && report.revoked == 1) }
            }
            #expect(fixture.target.history.filter { $0.action == .ended }.count == 1)
        }
    }

    @Test func anOrderPlacedBeforeACrashIsCarriedOutAfterIt() throws {
        try ManagerWorld.run({ $0.style = .immediate }) { world in
            let first = try await world.makeManager()
            let lease = try await first.mount.issue("app")
            for _ in 0..<599 { _ = try await first.mount.issue("app") }
            let report = try await first.manager.revoke(.prefix("database"), RevokeOptions(wait: .zero))
            #expect(!report.isExpanded)
            #expect(world.target.liveCredentials.count == 600)
            // Nobody ever runs the first manager: the order is all that is left of it.
            try await world.run(seed: 2) { fixture in
                await expectRefusal(.leaseNotActive) { try await fixture.mount.renew(lease.id) }
                let final = try await fixture.manager.waitForReport(of: report.order)
                #expect(final.revoked == 600)
                #expect(world.target.principals.isEmpty)
            }
        }
    }

    /// There is nothing to keep out of a lease: its order is over with it, and no insertion has to ask it ever after.
    @Test func anOrderAboutALeaseIsNeverClosing() throws {
        try ManagerFixture.run { fixture in
            let options = RevokeOptions(isClosing: true)
            let lease = try await fixture.mount.issue("app")
            #expect(try await fixture.manager.revoke(.lease(lease.id), options).isComplete)
            let parent = try await fixture.mount.issue("app")
            _ = try await fixture.mount.issue("app", IssueOptions(parent: parent.id))
            #expect(try await fixture.mount.revoke(parent.id, options).revoked == 2)
            #expect(try await fixture.manager.openOrders().isEmpty)
            try await fixture.expectIssue()
        }
    }
}
