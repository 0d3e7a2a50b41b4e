// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// What a test may want to be different about its manager; every default is a durable store and a well-behaved target.
struct ManagerSetup: Sendable {
    /// How long the role `app` runs, and how old its leases may become.
    static let appLimits = TTLLimits(ttl: .seconds(3_600), maximum: .seconds(86_400))

    var isDurable = true
    var style = BackendAbilities.CallStyle.suspending
    var abilities = BackendAbilities(isRenewable: true, endsByItself: true)
    var roles = [
        "app": InMemoryRole(limits: appLimits),
        "short": InMemoryRole(limits: TTLLimits(ttl: .seconds(60), maximum: .seconds(120))),
    ]
    var slack = Duration.seconds(30)
    var settings = MountSettings()
    var configuration = LeaseManager.Configuration()
    var crash: @Sendable (CrashStep) async throws -> Void = { _ in }
    /// Stands between the manager and its store.
    var wrapStore: @Sendable (InMemoryLeaseStore) -> any LeaseStore = { $0 }
}
