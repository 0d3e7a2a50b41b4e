// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Targets that do not say who they are.
@Suite struct UntoldTargetTests {
    /// What a target does that a test can take down and let speak.
    private final class Script: Sendable {
        let isDown = Locked(false)
        let name = Locked<String?>(nil)
        let revocations = Locked(0)
        let issues = Locked(0)

        func backend(_ style: BackendAbilities.CallStyle = .suspending) -> OddBackend {
            var backend = OddBackend()
            backend.abilities.callStyle = style
            backend.roleLimits = TTLLimits(ttl: .seconds(60), maximum: .seconds(3_600))
            backend.onFingerprint = { self.name.withLock { $0 } }
            backend.onIssue = { _ in
                self.issues.withLock { $0 += 1 }
                return Issued("secret")
            }
            backend.onRevoke = { _ in
                self.revocations.withLock { $0 += 1 }
                if self.isDown.withLock({ $0 }) {
                    throw BackendFailure(.transient, scope: .target, "cannot be reached")
                }
                return .revoked
            }
            return backend
        }
    }

    @Test(arguments: [BackendAbilities.CallStyle.suspending, .immediate])
    func aTargetThatCannotTellIsProbedByOneLeaseAtATime(style: BackendAbilities.CallStyle) throws {
        let script = Script()
        try ManagerFixture.run { fixture in
            let mount = try await fixture.manager.mount(script.backend(style), at: "odd")
            var leases: [LeaseID] = []
            for _ in 0..<20 { leases.append(try await mount.issue("app").id) }
            _ = try await mount.revoke(leases.removeLast())
            script.isDown.withLock { $0 = true }
            script.revocations.withLock { $0 = 0 }
            try await fixture.wait(.seconds(90))
            // Those that were due when it went down, and then one every three seconds.
            #expect(script.revocations.withLock { $0 } <= 19 + 12)
            #expect(fixture.log.count(.targetDown) == 1)
            #expect(fixture.log.count(.targetUp) == 0)
            for lease in leases { #expect(fixture.log.kinds(of: lease).count { $0 == .expired } <= 1) }
            script.isDown.withLock { $0 = false }
            try await fixture.wait(.seconds(5))
            try await fixture.expectNoLeases()
            #expect(fixture.log.count(.targetUp) == 1)
            for lease in leases { #expect(fixture.log.kinds(of: lease).count { $0 == .expired } == 1) }
        }
    }

    @Test func aTargetThatStopsToSayWhoItIsIsNotTheMounts() throws {
        let script = Script()
        try ManagerWorld.run { world in
            script.name.withLock { $0 = "target-1" }
            try await world.run { fixture in
                _ = try await fixture.manager.mount(script.backend(), at: "odd").issue("app")
            }
            script.name.withLock { $0 = nil }
            try await world.run(seed: 2) { fixture in
                let mount = try await fixture.manager.mount(script.backend(), at: "odd")
                await expectRefusal(.targetMismatch, "does not say who it is", "target-1", "adoptTarget(at:)") {
                    try await mount.issue("app")
                }
                try await fixture.wait(.seconds(300))
                #expect(script.issues.withLock { $0 } == 1)
                #expect(script.revocations.withLock { $0 } == 0)
                #expect(try await fixture.manager.counts().total == 1)
                #expect(try fixture.manager.health(ofMountAt: "odd").mismatch == "unknown")
                #expect(fixture.log.count(.targetMismatch) == 1)
                script.name.withLock { $0 = "target-1" }
                try await fixture.wait(.seconds(5))
                try await fixture.expectNoLeases()
                _ = try await mount.issue("app")
            }
        }
    }

    @Test func aTargetThatDoesNotSayWhoItIsCanBeAdopted() throws {
        let script = Script()
        try ManagerWorld.run { world in
            script.name.withLock { $0 = "target-1" }
            try await world.run { fixture in
                _ = try await fixture.manager.mount(script.backend(), at: "odd").issue("app")
            }
            script.name.withLock { $0 = nil }
            try await world.run(seed: 2) { fixture in
                let mount = try await fixture.manager.mount(script.backend(), at: "odd")
                await expectRefusal(.targetMismatch) { try await mount.issue("app") }
                #expect(try await fixture.manager.adoptTarget(at: "odd") == nil)
                _ = try await mount.issue("app")
                try await fixture.wait(.seconds(100))
                try await fixture.expectNoLeases()
            }
        }
    }
}
