// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Keeps every event that a manager publishes.
final class EventLog: LeaseObserver {
    private let all = Locked<[LeaseEvent]>([])

    func observe(_ event: LeaseEvent) { all.withLock { $0.append(event) } }

    /// Everything so far, oldest first.
    var events: [LeaseEvent] { all.withLock { $0 } }

    /// The kinds so far, oldest first.
    var kinds: [LeaseEvent.Kind] { events.map(\.kind) }

    /// What happened to one lease.
    func kinds(of lease: LeaseID) -> [LeaseEvent.Kind] { events.filter { $0.lease == lease }.map(\.kind) }

    /// The events of one kind.
    func events(_ kind: LeaseEvent.Kind) -> [LeaseEvent] { events.filter { $0.kind == kind } }

    /// How many events of one kind there were.
    func count(_ kind: LeaseEvent.Kind) -> Int { events(kind).count }

    /// Forgets everything so far.
    func clear() { all.withLock { $0 = [] } }
}
