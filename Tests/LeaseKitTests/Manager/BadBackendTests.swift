// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Backends that do not keep their promises.
@Suite struct BadBackendTests {
    private static func run(
        _ backend: OddBackend,
        isDurable: Bool = true,
        _ body: @escaping @Sendable (ManagerFixture, Mount<String, String>) async throws -> Void
    ) throws {
        try ManagerFixture.run({ $0.isDurable = isDurable }) { fixture in
            try await body(fixture, try await fixture.manager.mount(backend, at: "odd"))
        }
    }

    @Test func aForeignErrorIsNamedByItsTypeAlone() throws {
        var backend = OddBackend()
        backend.onIssue = { _ in throw ForeignError() }
        try Self.run(backend) { fixture, mount in
            let words = "the backend threw ForeignError, which is no BackendFailure; wrap it"
            let error = await expectRefusal(.backendFailed, words) { try await mount.issue("app") }
            #expect(error?.description.contains("hunter2") == false)
            #expect(error?.isRetryable == true)
            try await fixture.wait(.seconds(60))
            try await fixture.expectNoLeases()
        }
    }

    @Test func aForeignErrorFromAQuestionWithoutIO() throws {
        var backend = OddBackend()
        backend.pathOf = { _ in throw ForeignError() }
        try Self.run(backend) { fixture, mount in
            await expectRefusal(.backendFailed, "ForeignError", "wrap it") { try await mount.issue("app") }
            try await fixture.expectNoLeases()
        }
    }

    @Test func aHandleThatIsTooLargeIsRefusedBeforeAnythingIsMade() throws {
        let calls = Locked(0)
        var backend = OddBackend()
        backend.handle = { _ in TextHandle(String(repeating: "x", count: 65_537)) }
        backend.onIssue = { _ in
            calls.withLock { $0 += 1 }
            return Issued("secret")
        }
        try Self.run(backend) { fixture, mount in
            await expectRefusal(.handleTooLarge, "65537 bytes", "at most 65536, such as a name") {
                try await mount.issue("app")
            }
            #expect(calls.withLock { $0 } == 0)
            try await fixture.expectNoLeases()
        }
    }

    @Test func aHandleThatGrowsTooLargeEndsWhatWasMade() throws {
        let ended = Locked(0)
        var backend = OddBackend()
        backend.learnt = TextHandle(String(repeating: "x", count: 65_537))
        backend.onRevoke = { _ in
            ended.withLock { $0 += 1 }
            return .revoked
        }
        try Self.run(backend) { fixture, mount in
            await expectRefusal(.handleTooLarge) { try await mount.issue("app") }
            try await fixture.wait(.seconds(5))
            #expect(ended.withLock { $0 } == 1)
            try await fixture.expectNoLeases()
        }
    }

    @Test func anEndInThePastIsNoCredential() throws {
        var backend = OddBackend()
        backend.onIssue = { Issued("secret", expiresAt: $0.now - .seconds(1)) }
        try Self.run(backend) { fixture, mount in
            await expectRefusal(.backendFailed, "had ended already", "compare the target's clock") {
                try await mount.issue("app")
            }
            try await fixture.wait(.seconds(5))
            try await fixture.expectNoLeases()
        }
    }

    @Test func anEndLaterThanAskedIsNotPassedOn() throws {
        var backend = OddBackend()
        backend.onIssue = { Issued("secret", expiresAt: $0.expiresAt + .seconds(9_999)) }
        backend.onRenew = { .until($0.expiresAt + .seconds(9_999)) }
        try Self.run(backend) { fixture, mount in
            let lease = try await mount.issue("app")
            #expect(lease.expiresAt == fixture.now + .seconds(600))
            let renewed = try await mount.renew(lease.id, RenewOptions(increment: .seconds(700)))
            #expect(renewed.expiresAt == fixture.now + .seconds(700))
        }
    }

    @Test func aBackendThatNeverReturnsHoldsUpItsCallerUntilTheDeadlineOnly() throws {
        let never = CrashPoints()
        never.kill()
        var backend = OddBackend()
        backend.onIssue = { _ in
            try await never.hook(.beforeIssue)
            return Issued("secret")
        }
        try Self.run(backend) { fixture, mount in
            await expectRefusal(.deadlineExceeded, "within 30s") { try await mount.issue("app") }
            #expect(fixture.now == LeaseInstant(secondsSinceEpoch: 1_767_225_630))
            #expect(fixture.log.count(.callOverdue) == 1)
            // The other mount is not touched by it.
            try await fixture.expectIssue()
            never.bury()
        }
    }

    @Test func aFingerprintThatFailsIsAskedForAtTheProbesPace() throws {
        let asked = Locked(0)
        let isBroken = Locked(false)
        var backend = OddBackend()
        backend.onFingerprint = {
            asked.withLock { $0 += 1 }
            if isBroken.withLock({ $0 }) { throw ForeignError() }
            return "odd"
        }
        backend.onRevoke = { _ in
            if isBroken.withLock({ $0 }) { throw BackendFailure(.transient, scope: .target, "down") }
            return .revoked
        }
        try Self.run(backend) { fixture, mount in
            let lease = try await mount.issue("app")
            isBroken.withLock { $0 = true }
            try await fixture.manager.revoke(.lease(lease.id), RevokeOptions(wait: .zero))
            try await fixture.wait(.seconds(60))
            #expect((10...25).contains(asked.withLock { $0 }))
            #expect(try fixture.manager.health(ofMountAt: "odd").isTargetUp == false)
            isBroken.withLock { $0 = false }
            try await fixture.wait(.seconds(5))
            try await fixture.expectNoLeases()
        }
    }

    @Test func aDeniedRevocationIsStuckUntilItIsRearmedByItsCode() throws {
        let isReadable = Locked(false)
        var backend = OddBackend()
        backend.onRevoke = { _ in
            if isReadable.withLock({ $0 }) { return .revoked }
            throw BackendFailure(.denied, code: "2BP01", "something depends on it")
        }
        try Self.run(backend) { fixture, mount in
            let lease = try await mount.issue("app")
            let report = try await mount.revoke(lease.id)
            #expect(report.stuck == 1)
            isReadable.withLock { $0 = true }
            #expect(try await fixture.manager.rearm(mountAt: "odd", code: "other") == 0)
            #expect(try await fixture.manager.rearm(mountAt: "odd", code: "2BP01") == 1)
            #expect(try await fixture.manager.waitForReport(of: report.order).revoked == 1)
        }
    }

    @Test func aBackendWhoseCredentialsOutliveAVolatileStoreIsRefused() throws {
        var backend = OddBackend()
        backend.abilities.endsByItself = false
        let stubborn = backend
        try ManagerFixture.run({ $0.isDurable = false }) { fixture in
            await expectRefusal(.volatileStoreRefused, "use a durable store, or set acceptsLeaksOnCrash") {
                try await fixture.manager.mount(stubborn, at: "odd")
            }
            _ = try await fixture.manager.mount(stubborn, at: "odd", MountSettings(acceptsLeaksOnCrash: true))
        }
    }

    @Test func aBackendOfAnotherKindIsRefusedWhileThereAreLeases() throws {
        try ManagerWorld.run { world in
            try await world.run { fixture in
                let mount = try await fixture.manager.mount(OddBackend(), at: "odd")
                _ = try await mount.issue("app")
            }
            try await world.run(seed: 2) { fixture in
                var other = OddBackend()
                other.kind = "even/1"
                await expectRefusal(.mountKindMismatch, "of kind odd/1", "even/1", "choose another path") {
                    try await fixture.manager.mount(other, at: "odd")
                }
                let mount = try await fixture.manager.mount(OddBackend(), at: "odd")
                try await fixture.manager.unmount(at: "odd", leases: .revoke(wait: .seconds(30)))
                await expectRefusal(.unknownMount, "was unmounted", "use the new mount") {
                    try await mount.issue("app")
                }
                _ = try await fixture.manager.mount(other, at: "odd")
            }
        }
    }

    @Test func anInformationalLeaseWhoseIssueFailsIsNotLeftBehind() throws {
        var backend = OddBackend()
        backend.abilities.leaseKind = .informational
        backend.onIssue = { _ in throw BackendFailure(.denied, "not readable") }
        try Self.run(backend) { fixture, mount in
            await expectRefusal(.backendDenied, "not readable") { try await mount.issue("app") }
            try await fixture.wait(.seconds(1))
            try await fixture.expectNoLeases()
        }
    }
}
