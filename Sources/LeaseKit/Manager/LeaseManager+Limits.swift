// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Decides how long a lease may run, with the limits as they are now.
    func decide(_ request: TTLRequest, role: TTLLimits, at mount: MountRuntime) throws -> TTLDecision {
        let policy = TTLPolicy(
            rules: configuration.ttlRules,
            system: configuration.limits,
            mount: mount.settings.limits,
            role: role
        )
        do {
            return try policy.decide(request)
        } catch {
            throw LeaseError(error)
        }
    }
}
