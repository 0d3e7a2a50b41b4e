// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct CrashPointsTests {
    /// Whether a credential lives after a process died at a step of issuing, and of ending it.
    struct Case: Sendable, CustomTestStringConvertible {
        let step: CrashStep
        let isLive: Bool
        var testDescription: String { step.description }
    }

    static let cases = [
        Case(step: .beforeIssue, isLive: false), Case(step: .issueApplied, isLive: true),
        Case(step: .issueAnswered, isLive: true), Case(step: .beforeRenew, isLive: true),
        Case(step: .renewApplied, isLive: true), Case(step: .beforeRevoke, isLive: true),
        Case(step: .revokeApplied, isLive: false),
    ]

    @Test(arguments: cases) func aProcessDiesAtTheStep(_ row: Case) throws {
        let world = World()
        let points = CrashPoints()
        let backend = world.backend(crash: points.hook)
        points.arm(row.step)
        try world.drive {
            let life = Task(executorPreference: world.executor) {
                var handle = try await world.issue(on: backend)
                _ = try await backend.renew(&handle, world.call(expiresIn: .seconds(5000)))
                _ = try await backend.revoke(handle, world.call())
            }
            #expect(await points.waitForCrash() == row.step)
            #expect(world.target.liveCredentials.count == (row.isLive ? 1 : 0))
            // A dead process makes no further call, whatever is asked of its backend.
            let later = Task(executorPreference: world.executor) { try await world.issue(2, on: backend) }
            await world.executor.settle()
            #expect(!world.target.isLive("ours-\(LeaseID(high: 0, low: 2))"))
            points.bury()
            #expect(await life.result.failure as? SimulatedCrash == SimulatedCrash(at: row.step))
            #expect(await later.result.failure is SimulatedCrash)
            // The next process is another backend on the same target.
            let next = world.backend()
            let outcome = try await next.revoke(try next.prepare("app", world.call()), world.call())
            #expect(outcome == (row.isLive ? .revoked : .alreadyGone))
        }
        #expect(points.crash == row.step)
    }

    @Test func aRequestIsAppliedAfterItsSenderDied() throws {
        let world = World()
        let points = CrashPoints()
        let backend = world.backend(crash: points.hook)
        points.arm(.issueApplied, occurrence: 2)
        world.target.script(.issue, .none, .late(.seconds(45)))
        try world.drive {
            let life = Task(executorPreference: world.executor) {
                for lease in 1...9 as ClosedRange<UInt64> { _ = try await world.issue(lease, on: backend) }
            }
            _ = await points.waitForCrash()
            #expect(world.target.liveCredentials.count == 1)
            life.cancel()
            #expect(await life.result.failure is SimulatedCrash, "cancelling frees a dead process's task")
            await world.time.advance(by: .seconds(45))
            #expect(world.target.liveCredentials.count == 2)
        }
        #expect(points.passed[.beforeIssue] == 2)
    }
}
