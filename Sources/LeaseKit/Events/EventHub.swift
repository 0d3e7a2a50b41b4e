// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Hands every event to the observers and to the readers that are still there.
final class EventHub: Sendable {
    private struct Reader: Sendable {
        weak var buffer: EventBuffer?
    }

    private struct State {
        var readers: [Reader] = []
        var isFinished = false
    }

    private let observers: [any LeaseObserver]
    private let state = Locked(State())
    /// Whether an event has to be made at all: what a call looks at when nobody listens.
    private let isHeard: Atomic<Bool>
    /// Those who follow one lease each.
    let watches = LeaseWatches()

    init(observers: [any LeaseObserver]) {
        self.observers = observers
        isHeard = Atomic(!observers.isEmpty)
    }

    /// A new stream.
    ///
    /// It is let go when nobody holds it any more.
    func subscribe(buffer limit: Int) -> LeaseEvents {
        let buffer = EventBuffer(limit: limit)
        let isFinished = state.withLock { state in
            state.readers.removeAll { $0.buffer == nil }
            state.readers.append(Reader(buffer: buffer))
            isHeard.store(true, ordering: .releasing)
            return state.isFinished
        }
        if isFinished { buffer.finish() }
        return LeaseEvents(buffer: buffer)
    }

    /// Publishes an event; it is made only if somebody listens.
    func publish(_ event: @autoclosure () -> LeaseEvent) {
        let isWatched = watches.isWatched
        guard isHeard.load(ordering: .acquiring) || isWatched else { return }
        let event = event()
        if isWatched { watches.notice(event) }
        for observer in observers { observer.observe(event) }
        var isAnyGone = false
        for reader in state.withLock({ $0.readers }) {
            if let buffer = reader.buffer { buffer.publish(event) } else { isAnyGone = true }
        }
        if isAnyGone { forgetReaders() }
    }

    /// Forgets the readers that are gone.
    private func forgetReaders() {
        state.withLock { state in
            state.readers.removeAll { $0.buffer == nil }
            isHeard.store(!state.readers.isEmpty || !observers.isEmpty, ordering: .releasing)
        }
    }

    /// Ends every stream.
    func finish() {
        let readers = state.withLock { state in
            state.isFinished = true
            return state.readers
        }
        for reader in readers { reader.buffer?.finish() }
    }
}
