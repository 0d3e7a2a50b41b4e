// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// What stands for a database in this example: users that log in, and a backend that makes and ends them.
struct Database: Sendable {
    let target: InMemoryTarget
    let backend: InMemoryBackend

    init(time: VirtualTime) {
        target = InMemoryTarget(time: time)
        backend = InMemoryBackend(
            target: target,
            time: time,
            roles: [
                "app": InMemoryRole(limits: TTLLimits(ttl: .seconds(3600), maximum: .seconds(7200))),
                "report": InMemoryRole(limits: TTLLimits(ttl: .seconds(900))),
            ],
            entropy: .seeded(2)
        )
    }

    /// Seeded, so that ids and events are the same in each run.
    ///
    /// A service leaves `entropy` and `executor` out.
    func configuration(_ executor: SeededExecutor) -> LeaseManager.Configuration {
        LeaseManager.Configuration(
            deployment: "quickstart",
            entropy: .seeded(1),
            observers: [EventPrinter()],
            executor: executor
        )
    }

    /// Tries to log in.
    func login(_ credential: FakeCredential) -> String {
        target.check(credential) ? "works" : "is refused"
    }
}
