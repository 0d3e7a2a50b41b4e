// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Events: invariant 10, and 7 for their words.
extension InvariantChecker {
    func didPublish(_ event: LeaseEvent, by process: SimulatedProcess?) {
        count("event.\(event.kind)")
        checkText(event.description, "an event")
        guard let id = event.lease, let lease = leases[id] else { return }
        lease.note(
            "event \(event.at): \(event.kind), generation \(event.generation), \(event.state.map { "\($0)" } ?? "removed")\(event.note.map { ", \($0)" } ?? "")"
        )
        if event.kind == .issueFailed { checkHandedOver(lease, by: process) }
        guard event.generation > 0, lease.excuse == nil else { return }
        if event.generation > lease.generation {
            violate(
                10,
                lease,
                "an event tells of generation \(event.generation), and the record is at \(lease.generation)"
            )
        }
        // One version of a record has one state.
        if let known = lease.versions[event.generation], known != event.state, let state = event.state, let known {
            violate(10, lease, "generation \(event.generation) was told as \(known) and as \(state)")
        }
        if let earlier = lease.versions.keys.filter({ $0 < event.generation }).max(),
            let before = lease.versions[earlier]
        {
            if let before, let after = event.state, !before.leads(to: after) {
                violate(10, lease, "events lead from \(before) to \(after)")
            }
        }
        lease.versions[event.generation] = event.state
    }
}
