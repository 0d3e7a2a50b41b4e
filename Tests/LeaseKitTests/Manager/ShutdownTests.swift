// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Stops its manager in the very moment in which a lease is about to be ended.
private final class Stopper: LeaseObserver {
    let manager = Locked<LeaseManager?>(nil)

    func observe(_ event: LeaseEvent) {
        if event.kind == .expired { manager.withLock { $0 }?.beginShutdown() }
    }
}

@Suite struct ShutdownTests {
    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func aVolatileManagerRevokesEverythingOnItsWayOut(style: BackendAbilities.CallStyle) throws {
        try ManagerWorld.run({
            $0.isDurable = false
            $0.style = style
        }) { world in
            try await world.run { fixture in
                let sessions = try await fixture.manager.mountSessions(at: "sessions")
                let session = try await sessions.issue("job")
                for _ in 0..<300 { _ = try await fixture.mount.issue("app", IssueOptions(parent: session.id)) }
            }
            #expect(world.target.principals.isEmpty)
            #expect(world.log.events(.revoked).allSatisfy { $0.cause?.reason == .shutdown })
            #expect(world.log.events.last?.kind == .stopped)
            #expect(world.log.events.last?.note == "no lease is left")
        }
    }

    @Test func aDurableManagerLeavesEverythingToTheNextOne() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in for _ in 0..<3 { _ = try await fixture.mount.issue("app") } }
            #expect(world.target.liveCredentials.count == 3)
            #expect(world.log.events.last?.note == "3 leases stay in the store for the next start")
            try await world.run(seed: 2) { fixture in
                let report = try await fixture.manager.revoke(.prefix(""))
                #expect(report.revoked == 3)
            }
            #expect(world.target.principals.isEmpty)
        }
    }

    @Test(arguments: [StoreScript.Call.other(.place), .other(.claimDue), .other(.orders)])
    func aStoreInTroubleDoesNotEndTheRevoking(call: StoreScript.Call) throws {
        let script = StoreScript()
        try ManagerWorld.run({
            $0.isDurable = false
            $0.wrapStore = { script.store($0) }
        }) { world in
            try await world.run { fixture in
                for _ in 0..<3 { _ = try await fixture.mount.issue("app") }
                script.next(call, .unavailable, .unavailable)
            }
            #expect(world.target.principals.isEmpty)
            #expect(world.log.count(.storeTrouble) >= 1)
            #expect(world.log.events.last?.note == "no lease is left")
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func aRevocationThatWasNotSentAnyMoreIsNotCharged(seed: UInt64) throws {
        let stopper = Stopper()
        try ManagerWorld.run({ $0.configuration.observers = [stopper] }) { world in
            try await world.run(seed: seed) { fixture in
                stopper.manager.withLock { $0 = fixture.manager }
                for _ in 0..<4 { _ = try await fixture.mount.issue("short") }
                try await fixture.wait(.seconds(61))
            }
            #expect(world.log.count(.expired) > 0)
            #expect(world.log.count(.revocationFailed) == 0)
            let records = try await world.store.page(LeaseQuery(), after: nil, limit: 10).value.records
            #expect(records.allSatisfy { $0.attempts == 0 && $0.claim == nil && $0.failure == nil })
            try await world.run(seed: seed + 100) { fixture in
                try await fixture.wait(.seconds(1))
                try await fixture.expectNoLeases()
            }
        }
    }

    @Test func whatEndsByItselfIsNotWaitedFor() throws {
        try ManagerWorld.run({
            $0.isDurable = false
            $0.abilities.isRevocable = false
        }) { world in
            try await world.run { fixture in _ = try await fixture.mount.issue("app") }
            #expect(world.time.read().continuous == .zero)
        }
    }

    @Test(arguments: [false, true])
    func aHungCallEndsTheShutdownAtItsBudget(isDurable: Bool) throws {
        let never = CrashPoints()
        let hanging = Locked(false)
        try ManagerWorld.run({
            $0.isDurable = isDurable
            $0.configuration.shutdownBudget = .seconds(4)
            $0.crash = { step in if step == .beforeRevoke, hanging.withLock({ $0 }) { try await never.hook(step) } }
        }) { world in
            never.kill()
            try await world.run { fixture in
                let lease = try await fixture.mount.issue("app")
                hanging.withLock { $0 = true }
                try await fixture.manager.revoke(.lease(lease.id), RevokeOptions(wait: .seconds(1)))
            }
            // The last tenth of the budget is kept for the store, which answers at once.
            #expect(world.time.read().continuous == .milliseconds(4_600))
            let note = world.log.events(.stopped).map(\.note)
            let left =
                isDurable
                ? "1 leases stay in the store for the next start"
                : "1 leases could not be revoked in time and may still be live"
            #expect(note == [left])
            never.bury()
        }
    }

    @Test func callsInFlightFinish() throws {
        try ManagerWorld.run { world in
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await world.run { fixture in
                    world.target.script(.issue, .delay(.seconds(3)))
                    group.addTask {
                        let lease = try await fixture.mount.issue("app")
                        #expect(world.target.check(lease.secret))
                    }
                    try await fixture.wait(.seconds(1))
                }
                #expect(world.time.read().continuous == .seconds(3))
                try await group.waitForAll()
            }
        }
    }

    @Test func cancellingRunIsTheSameAsAskingForTheShutdown() throws {
        try ManagerWorld.run({ $0.isDurable = false }) { world in
            let fixture = try await world.makeManager()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await fixture.manager.run() }
                _ = try await fixture.mount.issue("app")
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(world.target.principals.isEmpty)
            #expect(world.log.count(.stopped) == 1)
        }
    }

    @Test func whileItStopsNothingNewIsTaken() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in
                let lease = try await fixture.mount.issue("app")
                world.target.script(.renew, .delay(.seconds(3)))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await fixture.wait(.milliseconds(500))
                        _ = try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(9_000)))
                    }
                    try await fixture.wait(.seconds(1))
                    fixture.manager.beginShutdown()
                    await expectRefusal(.managerStopped, "is stopping", "use another one") {
                        try await fixture.mount.issue("app")
                    }
                    await expectRefusal(.managerStopped) { try await fixture.mount.renew(lease.id) }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func callsAfterTheEndSaySo() throws {
        try ManagerWorld.run { world in
            let stopped = Locked<(ManagerFixture, LeaseID)?>(nil)
            try await world.run { fixture in
                let lease = try await fixture.mount.issue("app")
                stopped.withLock { $0 = (fixture, lease.id) }
            }
            let (fixture, lease) = try #require(stopped.withLock { $0 })
            let (manager, mount) = (fixture.manager, fixture.mount)
            await expectRefusal(.managerStopped) { try await mount.issue("app") }
            await expectRefusal(.managerStopped) { try await mount.renew(lease) }
            let words = "make a new one on the same store"
            await expectRefusal(.managerStopped, words) { try await mount.revoke(lease) }
            await expectRefusal(.managerStopped, words) { try await manager.detach(lease) }
            await expectRefusal(.managerStopped, words) { try await manager.abandon(lease) }
            await expectRefusal(.managerStopped, words) { try await manager.consumeUse(of: lease) }
            await expectRefusal(.managerStopped, words) { try await manager.rearm(mountAt: "database") }
            await expectRefusal(.managerStopped, words) { try await manager.unmount(at: "database") }
            await expectRefusal(.managerStopped, words) { try await manager.adoptTarget(at: "database") }
            await expectRefusal(.managerStopped, words) { try await manager.sweepOrphans(ofMountAt: "database") }
            await expectRefusal(.managerStopped, words) { try await manager.resume() }
            await expectRefusal(.managerStopped, words) { try await manager.mount(OddBackend(), at: "odd") }
            await expectRefusal(.managerStopped, words) { try await manager.reopen(RevocationOrderID(rawValue: 1)) }
            manager.beginShutdown()
            var events = manager.events().makeAsyncIterator()
            #expect(await events.next() == nil)
            #expect(world.log.count(.stopped) == 1)
        }
    }

    @Test func aManagerThatIsStoppedBeforeItRunsOnlyCleansUp() throws {
        try ManagerWorld.run({
            $0.isDurable = false
            $0.style = .immediate
        }) { world in
            let fixture = try await world.makeManager()
            try await fixture.expectIssue()
            fixture.manager.beginShutdown()
            fixture.manager.beginShutdown()
            await expectRefusal(.managerStopped) { try await fixture.mount.issue("app") }
            try await fixture.manager.run()
            #expect(world.target.principals.isEmpty)
            #expect(world.log.events(.stopped).map(\.note) == ["no lease is left"])
            await expectRefusal(.managerStopped) { try await fixture.manager.run() }
        }
    }

    @Test func withLeaseManagerStopsAlsoWhenItsBodyThrows() throws {
        try ManagerWorld.run({ $0.isDurable = false }) { world in
            await #expect(throws: ForeignError.self) {
                try await world.run { fixture in
                    _ = try await fixture.mount.issue("app")
                    throw ForeignError()
                }
            }
            #expect(world.target.principals.isEmpty)
        }
    }

    @Test func twoManagersMayRunOneInsideTheOther() throws {
        try ManagerWorld.run({ $0.isDurable = false }) { world in
            try await world.run { outer in
                let kept = try await outer.expectIssue()
                let other = InMemoryLeaseStore(deployment: "inner")
                try await world.run(store: other, seed: 2) { inner in
                    try await inner.expectIssue()
                    #expect(world.target.liveCredentials.count == 2)
                }
                #expect(world.target.check(kept.secret))
                #expect(world.target.liveCredentials.count == 1)
            }
            #expect(world.target.principals.isEmpty)
        }
    }

    @Test func aBodyThatDoesNothingIsNoTrouble() throws {
        try ManagerWorld.run { world in
            for seed in 1..<20 { try await world.run(seed: UInt64(seed)) { _ in } }
            #expect(world.log.count(.started) == 19)
            #expect(world.log.count(.stopped) == 19)
        }
    }
}
