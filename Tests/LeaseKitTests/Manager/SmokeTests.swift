// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct SmokeTests {
    @Test(.timeLimit(.minutes(5)), arguments: [BackendAbilities.CallStyle.immediate, .suspending])
    func lifeOfALease(style: BackendAbilities.CallStyle) async throws {
        let time = VirtualTime()
        let target = InMemoryTarget(time: time)
        let backend = InMemoryBackend(
            target: target,
            time: time,
            roles: ["app": InMemoryRole(limits: TTLLimits(ttl: .seconds(3600), maximum: .seconds(7200)))],
            abilities: BackendAbilities(isRenewable: true, endsByItself: true, callStyle: style)
        )
        try await withLeaseManager(time: time) { manager in
            let mount = try await manager.mount(backend, at: "database")
            let lease = try await mount.issue("app")
            #expect(target.check(lease.secret))
            let renewed = try await mount.renew(lease.id)
            #expect(renewed.granted == .seconds(3600))
            #expect(try await manager.counts().total == 1)
            let report = try await mount.revoke(lease.id)
            #expect(report.revoked == 1)
            #expect(!target.check(lease.secret))
            let second = try await mount.issue("app")
            #expect(target.check(second.secret))
        }
        #expect(target.liveCredentials.isEmpty)
    }
}
