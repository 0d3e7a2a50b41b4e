// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

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

    init(observers: [any LeaseObserver]) { self.observers = observers }

    /// A new stream.
    ///
    /// It is let go when nobody holds it any more.
    func subscribe(buffer limit: Int) -> LeaseEvents {
        let buffer = EventBuffer(limit: limit)
        let isFinished = state.withLock { state in
            state.readers.removeAll { $0.buffer == nil }
            state.readers.append(Reader(buffer: buffer))
            return state.isFinished
        }
        if isFinished { buffer.finish() }
        return LeaseEvents(buffer: buffer)
    }

    /// Publishes an event; it is made only if somebody listens.
    func publish(_ event: @autoclosure () -> LeaseEvent) {
        let readers = state.withLock { $0.readers }
        if readers.isEmpty && observers.isEmpty { return }
        let event = event()
        for observer in observers { observer.observe(event) }
        for reader in readers { reader.buffer?.publish(event) }
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
