// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What answers say about a target.
extension LeaseManager {
    /// Notes that a target answered.
    func noteSuccess(at mount: MountRuntime) {
        if mount.gate.withLock({ $0.succeed() }) {
            publish(LeaseEvent(.targetUp, at: clock.now, path: mount.path))
            alarm.ring()
        }
    }

    /// Notes what a failure says about the target.
    func note(_ failure: BackendFailure, at mount: MountRuntime) {
        let now = clock.now
        if let found = failure.foundTarget { return noteMismatch(found, at: mount, now) }
        if failure.scope == .target {
            if mount.gate.withLock({ $0.failTarget(at: now, retryAfter: failure.retryAfter) }) {
                publish(LeaseEvent(.targetDown, at: now, path: mount.path, failure: failure.note))
                // Whoever waits for a place is told at once.
                mount.callNext()
            }
            alarm.ring()
        } else if failure.reachedTarget {
            noteSuccess(at: mount)
        }
    }
}
