// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct TTLSamples {
    @Test func policy() throws {
        let now = LeaseInstant(secondsSinceEpoch: 1_767_225_600)
        // sample: ttl-policy
        let policy = TTLPolicy(
            mount: TTLLimits(maximum: .seconds(86_400)),
            role: TTLLimits(ttl: .seconds(3600))
        )
        // A lease that is 23 h old asks for two hours more.
        let request = TTLRequest(now: now, issuedAt: now - .seconds(23 * 3600), increment: .seconds(7200))
        let decision = try policy.decide(request)
        print(LeaseDuration.text(of: decision.ttl), decision.boundBy)  // 1h mount
        // end sample
        #expect(decision.ttl == .seconds(3600) && decision.boundBy == .mount && decision.isCapped)
    }

    @Test func vault() {
        // sample: vault-rules
        let configuration = LeaseManager.Configuration(
            limits: TTLLimits(ttl: .seconds(768 * 3600), maximum: .seconds(768 * 3600)),
            ttlRules: .vault
        )
        // end sample
        #expect(configuration.limits == .systemDefault)
    }

    @Test func validation() throws {
        // sample: validate-limits
        let policy = TTLPolicy(role: TTLLimits(ttl: .seconds(7200), maximum: .seconds(3600)))
        do {
            try policy.validate()
        } catch {
            print(error)  // the role's default TTL of 2h is longer than the role's maximum of 1h; lower it …
        }
        // end sample
        #expect(throws: TTLError.self) { try policy.validate() }
    }
}
