// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What goes wrong with those who wait for, use and give back a credential: F14 to F26 of the fault table.
@Suite struct CredentialFaultTests {
    @Test func f14ACancelledWaiterDisturbsNobody() throws {
        try HolderFixture.run { holder in
            holder.target.script(.issue, .delay(.seconds(5)))
            let credential = holder.credential()
            try await withThrowingTaskGroup(of: UInt64?.self) { group in
                for _ in 0..<8 { group.addTask { try await credential.get().generation.rawValue } }
                let impatient = [0, 1].map { _ in Locked<Bool>(false) }
                await withTaskGroup(of: Void.self) { others in
                    for flag in impatient {
                        others.addTask {
                            do { _ = try await credential.get() } catch is CancellationError {
                                flag.withLock { $0 = true }
                            } catch {}
                        }
                    }
                    try? await holder.wait(.seconds(1))
                    others.cancelAll()
                }
                #expect(impatient.allSatisfy { $0.withLock { $0 } })
                for try await generation in group { #expect(generation == 1) }
            }
            #expect(holder.issues == 1)
        }
    }

    @Test func f15AFailureIsNotRemembered() throws {
        try HolderFixture.run { holder in
            holder.target.script(.issue, .failBefore(.denied), .failBefore(.denied))
            let credential = holder.credential()
            let error = await #expect(throws: LeaseError.self) { try await credential.get() }
            #expect(error?.code == .backendDenied)
            // The next caller makes the next attempt, without waiting for the slow one.
            try await holder.wait(.seconds(2))
            await #expect(throws: LeaseError.self) { try await credential.get() }
            try await holder.wait(.seconds(2))
            let secret = try await credential.get()
            #expect(holder.target.check(secret.secret))
            #expect(holder.issues == 3)
        }
    }

    @Test func f15ALoopOfCallersIsNoLoopOfAttempts() throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            let attempts = Locked(0)
            source.change {
                $0.onIssue = { _ in
                    attempts.withLock { $0 += 1 }
                    throw LeaseError(.backendDenied, "no")
                }
            }
            let credential = RotatingCredential("app", through: LeaseRoute<String, Int>(source), on: holder.scheduler)
            for _ in 0..<1_000 {
                _ = try? await credential.get(within: .milliseconds(50))
                try await holder.wait(.milliseconds(10))
            }
            #expect(attempts.withLock { $0 } <= 62)
        }
    }

    @Test func f17ARejectionOfAnOldGenerationIsIgnored() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let first = try await credential.get()
            try await holder.wait(.seconds(60))
            credential.rejected(first.generation)
            try await holder.waitUntil("it is replaced", within: 10) {
                credential.current.map { $0.generation > first.generation } ?? false
            }
            for _ in 0..<100 { credential.rejected(first.generation) }
            try await holder.wait(.seconds(300))
            #expect(holder.issues == 2)
            // Of the current one as often as you like: one replacement each interval.
            for _ in 0..<100 {
                if let current = credential.current { credential.rejected(current.generation) }
                try await holder.wait(.seconds(1))
            }
            #expect((4...6).contains(holder.issues), "\(holder.issues)")
            #expect(holder.target.liveCredentials.count <= 2)
        }
    }

    @Test func f18WhoNeedsACredentialForLongGetsOneThatLastsSoLong() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            _ = try await credential.get()
            try await holder.wait(.seconds(1_800))
            let long = try await credential.get(validFor: .seconds(3_000))
            #expect(long.validUntil - holder.clock >= .seconds(3_000))
            #expect(holder.issues == 1 && holder.renewals == 1)
            let error = await #expect(throws: LeaseError.self) { try await credential.get(validFor: .seconds(7_200)) }
            #expect(error?.code == .pastMaximum)
        }
    }

    @Test func f19AConnectionOpenedWithAnOldGenerationIsNotLetIn() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let opening = try await credential.get()
            try await holder.wait(.seconds(60))
            credential.rejected(opening.generation)
            try await holder.waitUntil("it is replaced", within: 10) {
                credential.current?.generation != opening.generation
            }
            #expect(throws: LeaseError.self) { _ = try credential.checkout(opening.generation) }
            let current = try await credential.get()
            let use = try credential.checkout(current.generation)
            #expect(use.standing == .current)
            use.end()
        }
    }

    @Test func f19TheOldGenerationIsRevokedWhenItsLastUserIsGone() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential(policy: RotationPolicy(grace: .seconds(600)))
            let first = try await credential.get()
            let use = try credential.checkout(first.generation)
            try await holder.wait(.seconds(60))
            credential.rejected(first.generation)
            try await holder.waitUntil("it is replaced", within: 10) {
                credential.current?.generation != first.generation
            }
            try await holder.wait(.seconds(300))
            #expect(use.standing == .draining && holder.target.check(first.secret))
            #expect(holder.target.liveCredentials.count == 2)
            use.end()
            try await holder.wait(.seconds(5))
            #expect(!holder.target.check(first.secret))
            #expect(holder.news.events(.drained).last?.note == "generation #1 has no users left")
        }
    }

    @Test(arguments: [RotationPolicy.OnDeadline.revoke, .leaveToExpire])
    func f19AfterTheGraceTheOldGenerationIsRevokedUnderItsUsersOrLeft(kind: RotationPolicy.OnDeadline) throws {
        try HolderFixture.run { holder in
            let credential = holder.credential(policy: RotationPolicy(grace: .seconds(45), onDeadline: kind))
            let first = try await credential.get()
            let use = try credential.checkout(first.generation)
            try await holder.wait(.seconds(60))
            credential.rejected(first.generation)
            try await holder.waitUntil("it is replaced", within: 10) {
                credential.current?.generation != first.generation
            }
            try await holder.wait(.seconds(60))
            #expect(use.standing == (kind == .revoke ? .over : .draining))
            #expect(holder.target.check(first.secret) == (kind == .leaveToExpire))
            use.end()
        }
    }

    @Test func f20AtItsMaximumALeaseIsReplacedBeforeItEnds() throws {
        try HolderFixture.run { holder in
            // A minute, two at most.
            let credential = holder.credential("short", policy: RotationPolicy(grace: .seconds(5)))
            let first = try await credential.get()
            var gaps = 0
            for _ in 0..<600 {
                if let current = credential.current {
                    if !holder.target.check(current.secret) { gaps += 1 }
                } else {
                    gaps += 1
                }
                try await holder.wait(.seconds(1))
            }
            #expect(gaps == 0)
            let last = try #require(credential.current)
            #expect(last.generation.rawValue >= first.generation.rawValue + 4)
            #expect(holder.target.liveCredentials.count <= 2)
            #expect(holder.news.count(.lost) == 0)
        }
    }

    @Test func f20OneThatDoesNotWorkIsNeverHandedOut() throws {
        try HolderFixture.run { holder in
            let isBroken = Locked(false)
            let credential = holder.credential("short") { _ in
                if isBroken.withLock({ $0 }) { throw ForeignError() }
            }
            let first = try await credential.get()
            isBroken.withLock { $0 = true }
            try await holder.wait(.seconds(115))
            #expect(credential.current?.generation == first.generation)
            #expect(holder.news.count(.rotationFailed) >= 1)
            // What did not work is gone again, and nobody tries in a hot loop.
            #expect(holder.target.liveCredentials.count == 1)
            #expect(holder.issues <= 5)
            isBroken.withLock { $0 = false }
            try await holder.wait(.seconds(120))
            #expect(credential.current.map { $0.generation > first.generation } == true)
        }
    }

    @Test func f20ATruncatedLeaseIsUsedUntilItsReplacementIsThere() throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            let credential = RotatingCredential("app", through: LeaseRoute<String, Int>(source), on: holder.scheduler)
            let first = try await credential.get()
            source.change { $0.leftToMaximum = .seconds(600) }
            try await holder.waitUntil("it is renewed") { source.renewals.count == 1 }
            let renewed = holder.clock
            source.change { $0.leftToMaximum = nil }
            // Nothing is made in a hurry: what was granted is used first.
            try await holder.wait(.seconds(300))
            #expect(credential.current?.generation == first.generation && source.issued.count == 1)
            try await holder.waitUntil("it is replaced") { credential.current?.generation != first.generation }
            try await holder.wait(.seconds(5))
            #expect(source.revoked == [first.lease] && source.issued.count == 2)
            #expect(holder.clock < renewed + .seconds(600))
            #expect(holder.news.count(.lost) == 0)
        }
    }

    @Test func f20WhatDoesNotWorkIsGivenBackUntilItIsGone() throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            let isBroken = Locked(true)
            let time = holder.time
            source.change {
                // So that it is waited for when it fails.
                $0.onIssue = { _ in try await time.sleep(until: time.read().continuous + .seconds(1)) }
                $0.onRevoke = { _ in throw unreachable }
            }
            let credential = RotatingCredential("app", through: LeaseRoute<String, Int>(source), on: holder.scheduler) {
                if $0 == 1, isBroken.withLock({ $0 }) { throw ForeignError() }
            }
            await #expect(throws: ForeignError.self) { try await credential.get() }
            // Nobody ever got it, and its broker cannot be told: it is tried for as long as it takes.
            try await holder.wait(.seconds(900))
            #expect(credential.current?.generation.rawValue == 1 && source.revoked.isEmpty)
            source.change { $0.onRevoke = { _ in } }
            try await holder.wait(.seconds(70))
            #expect(source.revoked == [source.issued[0]])
            // It was no generation, and is not told of as one.
            #expect(holder.news.count(.drained) == 0)
        }
    }

    @Test func f21ChildrenAreEndedBeforeTheParentThatTheyNeed() throws {
        try HolderFixture.run {
            $0.abilities.needsParent = true
        } _: { holder in
            let parent = try await holder.mount.issue("app")
            let child = try await holder.mount.issue("app", IssueOptions(parent: parent.id))
            try await holder.mount.revoke(parent.id)
            let ended = holder.target.history.filter { $0.operation == .revoke }.map(\.name)
            let (children, parents) = (
                ended.lastIndex(of: child.secret.username), ended.firstIndex(of: parent.secret.username)
            )
            #expect(try #require(children) < #require(parents))
        }
    }

    @Test func f22AfterARestartRenewalsAreSpreadAndHeldToTheRate() throws {
        try HolderFixture.run(scheduler: { $0.rate = RateLimit(callsPerSecond: 50, burst: 10) }) { holder in
            let source = ScriptedSource(holder.time)
            let route = LeaseRoute<String, Int>(source)
            let begun = holder.clock
            for number in 0..<2_000 {
                // All of them almost due: what a restart after an outage finds.
                holder.scheduler.keep(
                    LeaseID(high: 1, low: UInt64(number)),
                    validUntil: begun + .seconds(300),
                    through: route
                )
            }
            try await holder.wait(.seconds(300))
            let times = source.renewals.map(\.at)
            #expect(Set(source.renewals.map(\.lease)).count == 2_000)
            for second in 0..<300 {
                let start = begun + .seconds(second)
                #expect(times.count { $0 >= start && $0 < start + .seconds(1) } <= 60)
            }
            #expect(times.count { $0 < begun + .seconds(60) } < 1_000)
        }
    }

    @Test func f23ATargetThatIsDownForDaysIsTriedForAsLongAsItTakes() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential(policy: RotationPolicy(grace: .seconds(1)))
            let first = try await credential.get()
            try await holder.wait(.seconds(60))
            holder.target.script(.revoke, .failBefore(.transient), .failBefore(.transient))
            credential.rejected(first.generation)
            try await holder.waitUntil("the second one is there", within: 60) {
                credential.current?.generation != first.generation
            }
            holder.target.partition(.refusing)
            try await holder.wait(.seconds(2 * 86_400))
            #expect(try await holder.manager.lease(first.lease) != nil)
            holder.target.heal()
            try await holder.waitUntil("it is gone") {
                try await holder.manager.lease(first.lease) == nil
            }
            #expect(!holder.target.check(first.secret))
        }
    }

    @Test func f23WhatNeedsAPersonIsSeenAndARestartForgetsNoAttempt() throws {
        let name = Locked<LeaseID?>(nil)
        let before = Locked(0)
        try ManagerWorld.run { world in
            for _ in 0..<10_000 { world.target.script(.revoke, .failBefore(.denied)) }
            try await world.run { fixture in
                let lease = try await fixture.expectIssue()
                name.withLock { $0 = lease.id }
                let report = try await fixture.mount.revoke(lease.id, RevokeOptions(wait: .seconds(600)))
                #expect(report.stuck == 1 && report.remaining.first?.lease == lease.id)
                try await fixture.waitFor(.revocationStuck)
                try await fixture.wait(.seconds(86_400))
                let record = try #require(try await fixture.manager.lease(lease.id))
                #expect(record.state == .stuck && record.attempts > 1)
                before.withLock { $0 = Int(record.attempts) }
            }
            try await world.run(seed: 2) { next in
                let id = try #require(name.withLock { $0 })
                try await next.wait(.seconds(2 * 86_400))
                let record = try #require(try await next.manager.lease(id))
                #expect(record.state == .stuck && Int(record.attempts) > before.withLock { $0 })
                next.target.stopFaults()
                try await next.manager.rearm(mountAt: "database")
                try await next.wait(.seconds(60))
                #expect(try await next.manager.lease(id) == nil && next.target.principals.isEmpty)
            }
        }
    }

    @Test func f24ASlowListenerHoldsUpNothingAndIsToldWhatItMissed() throws {
        try HolderFixture.run { holder in
            let events = holder.scheduler.events(buffer: 4)
            let credential = holder.credential("short", policy: RotationPolicy(grace: .seconds(1)))
            _ = try await credential.get()
            try await holder.wait(.seconds(3_600))
            #expect(credential.current.map { holder.target.check($0.secret) } == true)
            var iterator = events.makeAsyncIterator()
            let element = try #require(await iterator.next())
            #expect(element.droppedBefore > 50)
        }
    }

    @Test func f25NoSecretIsInAnyText() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential("short")
            let secret = try await credential.get()
            try await holder.wait(.seconds(600))
            var dumped = ""
            dump(secret, to: &dumped)
            var texts = ["\(secret)", String(reflecting: secret), "\(secret.generation)", dumped]
            texts += holder.news.events.flatMap { ["\($0)", String(reflecting: $0)] }
            #expect(texts.count > 20)
            for text in texts { #expect(!text.contains("pw~"), "\(text)") }
            #expect("\(secret)" == "database/creds/short #1, secret <redacted>")
        }
    }

    @Test func f26ASweepThatDoesNotSeeANewCredentialEndsNothing() throws {
        try HolderFixture.run { holder in
            holder.target.setInventoryLag(.seconds(120))
            let credential = holder.credential()
            let first = try await credential.get()
            holder.target.plant(
                "young",
                mark: LeaseMark(deployment: "tests", lease: LeaseID(high: 5, low: 9), epoch: 1)
            )
            let report = try await holder.manager.sweepOrphans(ofMountAt: "database")
            #expect(report.ended == 0)
            #expect(holder.target.check(first.secret) && holder.target.principal("young") != nil)
            // Once it is old enough, it is an orphan; what is held is none, however late the list shows it.
            try await holder.wait(.seconds(900))
            let later = try await holder.manager.sweepOrphans(ofMountAt: "database")
            #expect(later.ended == 1)
            #expect(holder.target.check(first.secret) && holder.target.principal("young") == nil)
        }
    }
}
