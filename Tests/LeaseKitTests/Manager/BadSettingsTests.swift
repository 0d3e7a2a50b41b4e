// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct BadSettingsTests {
    struct Row: CustomTestStringConvertible {
        let word: String
        let settings: MountSettings
        var testDescription: String { word }

        init(_ word: String, _ change: (inout MountSettings) -> Void) {
            var settings = MountSettings()
            change(&settings)
            (self.word, self.settings) = (word, settings)
        }
    }

    static let rows = [
        Row("concurrency is 0; allow at least one") { $0.concurrency = 0 },
        Row("revocationConcurrency is -1; allow at least one") { $0.revocationConcurrency = -1 },
        Row("waitingLimit is -1; use 0 to let nobody wait") { $0.waitingLimit = -1 },
        Row("rate.callsPerSecond is 0.0; use a number from") { $0.rate = RateLimit(callsPerSecond: 0) },
        Row("rate.callsPerSecond is inf") { $0.rate = RateLimit(callsPerSecond: .infinity) },
        Row("rate.callsPerSecond is nan") { $0.rate = RateLimit(callsPerSecond: .nan) },
        Row("rate.callsPerSecond is 1e-30") { $0.rate = RateLimit(callsPerSecond: 1e-30) },
        Row("rate.burst must be at least 1") { $0.rate = RateLimit(callsPerSecond: 1, burst: 0) },
        Row("issueTimeout must be above zero") { $0.issueTimeout = .zero },
        Row("renewTimeout must be above zero") { $0.renewTimeout = .seconds(-1) },
        Row("revokeTimeout must be above zero") { $0.revokeTimeout = .zero },
        Row("probeInterval must be above zero") { $0.probeInterval = .zero },
        Row("retry.base must be above zero") { $0.retry.base = .zero },
        Row("retry.cap must be above zero") { $0.retry.cap = .zero },
        Row("retry.stuckInterval must be above zero") { $0.retry.stuckInterval = .zero },
        Row("quotas.perMount is negative; use nil for no limit") { $0.quotas.perMount = -1 },
        Row("quotas.perPath is negative") { $0.quotas.perPath = -1 },
        Row("quotas.perParent is negative") { $0.quotas.perParent = -1 },
        Row("quotas.perOwner is negative") { $0.quotas.perOwner = -1 },
    ]

    @Test(arguments: rows)
    func badSettingsAreRefusedAndTheOldOnesStay(_ row: Row) throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.invalidLimits, row.word) {
                try await fixture.manager.mount(OddBackend(), at: "odd", row.settings)
            }
            await expectRefusal(.invalidLimits, row.word) { try fixture.mount.change(row.settings) }
            #expect(fixture.mount.settings == MountSettings())
            // The place is free for better ones.
            _ = try await fixture.manager.mount(OddBackend(), at: "odd")
        }
    }

    struct ConfigurationRow: CustomTestStringConvertible {
        let word: String
        let change: @Sendable (inout LeaseManager.Configuration) -> Void
        var testDescription: String { word }

        init(_ word: String, _ change: @escaping @Sendable (inout LeaseManager.Configuration) -> Void) {
            (self.word, self.change) = (word, change)
        }
    }

    static let configurations = [
        ConfigurationRow("deployment has 0 bytes") { $0.deployment = "" },
        ConfigurationRow("deployment has 129 bytes") { $0.deployment = String(repeating: "d", count: 129) },
        ConfigurationRow("deployment has 3 bytes or control characters") { $0.deployment = "a\nb" },
        ConfigurationRow("limits: ") { $0.limits = TTLLimits(ttl: .seconds(10), maximum: .seconds(-1)) },
        ConfigurationRow("shutdownBudget is -1.0 seconds; use zero or more") { $0.shutdownBudget = .seconds(-1) },
        ConfigurationRow("revocationWait is -1.0 seconds") { $0.revocationWait = .seconds(-1) },
        ConfigurationRow("patience is -1.0 seconds") { $0.patience = .seconds(-1) },
        ConfigurationRow("startTimeout is 0.0 seconds; use more than zero") { $0.startTimeout = .zero },
        ConfigurationRow("observationInterval is 0.0 seconds") { $0.observationInterval = .zero },
    ]

    @Test(arguments: configurations)
    func aConfigurationThatMakesNoSenseIsRefusedBeforeTheStoreIsOpened(_ row: ConfigurationRow) throws {
        try ManagerWorld.run { world in
            var configuration = world.configuration()
            row.change(&configuration)
            let opened = Locked(0)
            let store = FaultyLeaseStore(world.store) { call in
                if call.kind == .open { opened.withLock { $0 += 1 } }
                return nil
            }
            let manager = LeaseManager(store: store, configuration: configuration, time: world.time)
            await expectRefusal(.invalidLimits, "the manager's configuration: \(row.word)") {
                try await manager.mount(OddBackend(), at: "odd")
            }
            await expectRefusal(.invalidLimits, row.word) { try await manager.run() }
            #expect(opened.withLock { $0 } == 0)
        }
    }
}
