// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What targets do after everybody has stopped waiting.
@Suite struct LateRequestTests {
    private func name(_ lease: UInt64 = 1) -> String { "ours-\(LeaseID(high: 0, low: lease))" }

    @Test func aCreateAppliedAfterARevokeThatFoundNothing() throws {
        let world = World()
        let backend = world.backend(provesGone: true)
        world.target.script(.issue, .lateAfterRevoke(plus: .seconds(5)))
        try world.drive {
            await #expect(throws: BackendFailure.self) { try await world.issue(on: backend) }
            let handle = try backend.prepare("app", world.call())
            #expect(try await backend.revoke(handle, world.call()) == .alreadyGone, "something is in flight: no proof")
            #expect(!world.target.isLive(handle.name))
            await world.time.advance(by: .seconds(5))
            #expect(world.target.isLive(handle.name))
            #expect(world.target.history.last?.isLate == true)
            #expect(try await backend.revoke(handle, world.call()) == .revoked)
            #expect(try await backend.revoke(handle, world.call()) == .provenGone)
        }
    }

    @Test func aDuplicateBringsBackWhatWasRevoked() throws {
        let world = World()
        let backend = world.backend(provesGone: true)
        world.target.script(.issue, .duplicate(after: .seconds(20)))
        try world.drive {
            let handle = try await world.issue(on: backend)
            #expect(try await backend.revoke(handle, world.call()) == .revoked)
            #expect(try await backend.revoke(handle, world.call()) == .alreadyGone)
            await world.time.advance(by: .seconds(20))
            #expect(world.target.isLive(handle.name))
            #expect(world.target.history.last?.isDuplicate == true)
        }
    }

    @Test func aCreateLaterThanItsEndIsNeverLive() throws {
        let world = World()
        let backend = world.backend()
        world.target.script(.issue, .late(.seconds(7200)))
        try world.drive {
            _ = try? await world.issue(on: backend)
            await world.time.advance(by: .seconds(7300))
            #expect(world.target.principals.map(\.name) == [name()])
            #expect(world.target.liveCredentials.isEmpty)
        }
    }

    @Test func aCredentialEndsByTheTargetsClock() throws {
        let world = World()
        let backend = world.backend()
        try world.drive {
            let handle = try await world.issue(on: backend)
            // An hour and the slack of thirty seconds, whatever our wall clock shows.
            world.time.jumpWall(by: .seconds(-100_000))
            await world.time.advance(by: .seconds(3629))
            #expect(world.target.isLive(handle.name))
            await world.time.advance(by: .seconds(1))
            #expect(!world.target.isLive(handle.name))
        }
    }

    @Test func aLateRenewalMovesTheEndBack() throws {
        let world = World()
        let backend = world.backend()
        world.target.script(.renew, .late(.seconds(60)))
        try world.drive {
            var handle = try await world.issue(on: backend)
            var copy = handle
            await #expect(throws: BackendFailure.self) {
                try await backend.renew(&copy, world.call(expiresIn: .seconds(4000)))
            }
            let call = world.call(expiresIn: .seconds(9000))
            #expect(try await backend.renew(&handle, call) == .until(call.expiresAt))
            let long = try #require(world.target.principal(handle.name)?.endsAt)
            await world.time.advance(by: .seconds(60))
            let short = try #require(world.target.principal(handle.name)?.endsAt)
            #expect(short < long)
        }
    }

    @Test func aRequestReachesTheTargetThatItWasSentTo() throws {
        let world = World()
        let backend = world.backend()
        world.target.script(.issue, .late(.seconds(20)))
        try world.drive {
            _ = try? await world.issue(on: backend)
            world.target.replace(by: "target-2")
            await world.time.advance(by: .seconds(20))
            #expect(!world.target.isLive(name()), "the other target has nothing")
            #expect(world.target.liveCredentials.map(\.target) == ["target-1"])
            let call = world.call(target: "target-1")
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.revoke(try backend.prepare("app", call), call)
            }
            #expect(failure?.foundTarget == "target-2")
            #expect(failure?.scope == .target)
            world.target.replace(by: "target-1")
            let outcome = try await backend.revoke(try backend.prepare("app", call), call)
            #expect(outcome == .revoked)
        }
    }

    @Test func aStrangerIsLeftAlone() throws {
        let world = World()
        let backend = world.backend()
        world.target.plant(name())
        try world.drive {
            let handle = try backend.prepare("app", world.call())
            let failure = await #expect(throws: BackendFailure.self) { try await world.issue(on: backend) }
            #expect(failure?.kind == .denied)
            #expect(try await backend.revoke(handle, world.call()) == .notOurs)
            var renewed = handle
            let gone = await #expect(throws: BackendFailure.self) { try await backend.renew(&renewed, world.call()) }
            #expect(gone?.kind == .gone)
            #expect(world.target.check(FakeCredential(username: handle.name, password: "stranger")))
            #expect(world.target.liveCredentials.isEmpty, "a stranger is nobody's credential")
        }
    }

    @Test func listingsLagBehind() throws {
        let world = World()
        let backend = world.backend(pageSize: 2)
        world.target.setInventoryLag(.seconds(30))
        @Sendable func listed() async throws -> Int {
            var (count, cursor): (Int, String?) = (0, nil)
            repeat {
                let page = try await backend.inventory(of: "ours", after: cursor, world.call())
                (count, cursor) = (count + page.items.count, page.next)
            } while cursor != nil
            return count
        }
        try world.drive {
            for lease in 1...5 as ClosedRange<UInt64> { _ = try await world.issue(lease, on: backend) }
            #expect(try await listed() == 0)
            await world.time.advance(by: .seconds(30))
            #expect(try await listed() == 5)
            let handle = try backend.prepare("app", world.call(2))
            #expect(try await backend.revoke(handle, world.call(2)) == .revoked)
            #expect(try await listed() == 5)
            await world.time.advance(by: .seconds(30))
            #expect(try await listed() == 4)
            let page = try await backend.inventory(of: "ours", after: nil, world.call())
            #expect(page.items.first?.madeAt == world.time.wall - .seconds(60), "an age, told by our clock")
            #expect(page.items.first?.handle.number != nil)
        }
    }

    @Test func theTargetMayLetLessLiveThanAsked() throws {
        let world = World()
        let backend = world.backend(roles: ["app": InMemoryRole(longestLife: .seconds(600))])
        try world.drive {
            let call = world.call()
            var handle = try backend.prepare("app", call)
            let issued = try await backend.issue("app", as: &handle, call)
            #expect(issued.expiresAt == call.now + .seconds(600))
            await world.time.advance(by: .seconds(400))
            let answer = try await backend.renew(&handle, world.call())
            #expect(answer == .until(world.time.wall + .seconds(200)))
        }
    }

    @Test func whatCannotBeRevokedSaysWhenItEnds() throws {
        let world = World()
        let backend = world.backend(abilities: BackendAbilities(isRevocable: false, endsByItself: true))
        try world.drive {
            let handle = try await world.issue(on: backend)
            let end = world.time.wall + .seconds(3630)
            await world.time.advance(by: .seconds(100))
            #expect(try await backend.revoke(handle, world.call()) == .endsByItself(at: end))
            await world.time.advance(by: .seconds(4000))
            #expect(try await backend.revoke(handle, world.call()) == .alreadyGone)
        }
    }
}
