// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Requests that come too late, callers that are gone, processes that die.
@Suite struct IssueRaceTests {
    @Test func anIssueThatReturnsWhileItIsLookedAtLeavesNothingBehind() throws {
        let made = Locked(false)
        let gate = CrashPoints()
        gate.kill()
        var backend = OddBackend()
        backend.abilities.settleTime = .zero
        backend.onIssue = { _ in
            // Far beyond its deadline, and then it works after all.
            try? await gate.hook(.beforeIssue)
            made.withLock { $0 = true }
            return Issued("secret")
        }
        backend.onRevoke = { _ in
            if made.withLock({ $0 }) {
                made.withLock { $0 = false }
                return .revoked
            }
            // Nothing there yet. While the answer is on its way the late call comes through.
            gate.bury()
            return .alreadyGone
        }
        let late = backend
        try ManagerFixture.run { fixture in
            let mount = try await fixture.manager.mount(late, at: "odd")
            await expectRefusal(.deadlineExceeded) { try await mount.issue("app") }
            try await fixture.wait(.seconds(60))
            #expect(!made.withLock { $0 })
            try await fixture.expectNoLeases()
        }
    }

    static let steps: [CrashStep] = [.beforeIssue, .issueApplied, .issueAnswered]

    @Test(arguments: steps)
    func aProcessThatDiesWhileIssuingLeavesNothingThatTheNextOneCannotEnd(_ step: CrashStep) throws {
        let crash = CrashPoints()
        let first = Locked(true)
        try ManagerWorld.run({ setup in
            setup.abilities.endsByItself = false
            setup.crash = { if first.withLock({ $0 }) { try await crash.hook($0) } }
        }) { world in
            crash.arm(step)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await world.run { fixture in _ = try? await fixture.mount.issue("app") }
                }
                #expect(await crash.waitForCrash() == step)
                // The table as it was when the process died; what the dying one still writes is lost.
                let left = world.store.unmarkedCopy()
                first.withLock { $0 = false }
                try await world.run(store: left, seed: 2) { fixture in
                    #expect(try await fixture.manager.counts().total == 1)
                    try await fixture.wait(.seconds(120))
                    #expect(world.target.principals.isEmpty)
                    try await fixture.expectNoLeases()
                }
                crash.bury()
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [
        TargetFault.lateAfterRevoke(), .lateAfterRevoke(plus: .seconds(20)), .duplicate(after: .seconds(9)),
    ])
    func aRequestThatIsAppliedAfterItsRevocationIsFoundBySettling(fault: TargetFault) throws {
        try ManagerFixture.run({ $0.abilities.endsByItself = false }) { fixture in
            fixture.target.script(.issue, fault)
            if let lease = try? await fixture.mount.issue("app") { try await fixture.mount.revoke(lease.id) }
            try await fixture.wait(.seconds(30))
            fixture.target.settle()
            try await fixture.wait(.seconds(300))
            let left = fixture.target.principals
            // A duplicate of an issue that was handed out and revoked is an orphan: the sweep finds it.
            if !left.isEmpty {
                #expect(fault.description.contains("duplicate"))
                let options = SweepOptions(grace: .seconds(60))
                #expect(try await fixture.manager.sweepOrphans(ofMountAt: "database", options).ended == 1)
            }
            #expect(fixture.target.principals.isEmpty)
            try await fixture.expectNoLeases()
        }
    }

    @Test func anOrderOverAPendingLeaseForbidsItsActivation() throws {
        try ManagerFixture.run { fixture in
            fixture.target.script(.issue, .slowReply(.seconds(5)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await expectRefusal(.leaseNotActive, "is being ended") { try await fixture.mount.issue("app") }
                }
                try await fixture.wait(.seconds(1))
                let report = try await fixture.manager.revoke(.prefix("database"), RevokeOptions(wait: .seconds(120)))
                #expect((report.revoked, report.isComplete) == (1, true))
                try await group.waitForAll()
            }
            #expect(fixture.target.principals.isEmpty)
            #expect(fixture.log.count(.issued) == 0)
        }
    }
}
