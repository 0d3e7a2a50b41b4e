// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Keeps every event that a manager publishes, for tests that look at them afterwards.
///
/// Hand it over in the manager's configuration. With a `limit` the oldest events make room for new ones, and
/// ``droppedCount`` says how many did.
public final class RecordingObserver: LeaseObserver {
    private struct State: Sendable {
        var events: [LeaseEvent] = []
        var dropped = 0
    }

    private let limit: Int?
    private let state = Locked(State())

    /// Makes an observer that keeps the newest `limit` events, or all of them.
    public init(limit: Int? = nil) { self.limit = limit.map { max(1, $0) } }

    /// Keeps an event; the manager calls this.
    public func observe(_ event: LeaseEvent) {
        state.withLock { state in
            state.events.append(event)
            // Twice the limit, so that making room costs little for each event.
            guard let limit, state.events.count >= 2 * limit else { return }
            state.dropped += state.events.count - limit
            state.events.removeFirst(state.events.count - limit)
        }
    }

    /// The events that are kept, in the order in which they came.
    public var events: [LeaseEvent] {
        state.withLock { state in
            guard let limit else { return state.events }
            return Array(state.events.suffix(limit))
        }
    }

    /// How many older events made room.
    public var droppedCount: Int {
        state.withLock { state in
            guard let limit else { return state.dropped }
            return state.dropped + max(0, state.events.count - limit)
        }
    }

    /// The kinds of all events that are kept, in order.
    public var kinds: [LeaseEvent.Kind] { events.map(\.kind) }

    /// The events about one lease, in order.
    public func events(of lease: LeaseID) -> [LeaseEvent] { events.filter { $0.lease == lease } }

    /// The events of one kind, in order.
    public func events(_ kind: LeaseEvent.Kind) -> [LeaseEvent] { events.filter { $0.kind == kind } }

    /// The events that an order caused, in order.
    public func events(of order: RevocationOrderID) -> [LeaseEvent] { events.filter { $0.order == order } }

    /// How many events of one kind are kept.
    public func count(of kind: LeaseEvent.Kind) -> Int {
        state.withLock { $0.events.count { $0.kind == kind } }
    }

    /// Takes out everything that is kept.
    public func drain() -> [LeaseEvent] {
        state.withLock { state in
            defer { state = State() }
            return state.events
        }
    }
}
