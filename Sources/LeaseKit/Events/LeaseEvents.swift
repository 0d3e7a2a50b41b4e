// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A stream of events for one reader: bounded, never slowing the work, and saying how many it dropped.
///
/// Meant for one loop at a time. Ends when the manager has stopped or the reading task is cancelled.
public struct LeaseEvents: AsyncSequence, Sendable {
    /// What the stream yields.
    public struct Element: Sendable {
        /// The event.
        public let event: LeaseEvent
        /// How many older events were dropped since the last one that was read.
        public let droppedBefore: Int
    }

    /// Reads events one by one.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let buffer: EventBuffer

        /// The next event; nil at the end.
        public mutating func next() async -> Element? { await buffer.next() }
    }

    let buffer: EventBuffer

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer) }
}

/// The events that one reader has not read yet: a ring that drops the oldest.
final class EventBuffer: Sendable {
    private struct State {
        var events: [LeaseEvent] = []
        var head = 0
        var dropped = 0
        var isFinished = false
        var reader: CheckedContinuation<LeaseEvents.Element?, Never>?

        var count: Int { events.count - head }

        mutating func take() -> LeaseEvents.Element? {
            guard head < events.count else { return nil }
            defer {
                head += 1
                dropped = 0
                // Moving the rest down once half is read keeps both the memory and the cost per event constant.
                if head * 2 >= events.count {
                    events.removeFirst(head)
                    head = 0
                }
            }
            return LeaseEvents.Element(event: events[head], droppedBefore: dropped)
        }
    }

    private let limit: Int
    private let state = Locked(State())

    init(limit: Int) { self.limit = Swift.max(1, limit) }

    func publish(_ event: LeaseEvent) {
        let handover = state.withLock {
            state -> (CheckedContinuation<LeaseEvents.Element?, Never>, LeaseEvents.Element)? in
            if state.isFinished { return nil }
            state.events.append(event)
            if state.count > limit {
                state.head += 1
                state.dropped += 1
                if state.head * 2 >= state.events.count {
                    state.events.removeFirst(state.head)
                    state.head = 0
                }
            }
            guard let reader = state.reader, let element = state.take() else { return nil }
            state.reader = nil
            return (reader, element)
        }
        if let (reader, element) = handover { reader.resume(returning: element) }
    }

    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    func next() async -> LeaseEvents.Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: LeaseEvents.Element?? = state.withLock { state in
                    if let element = state.take() { return .some(element) }
                    if state.isFinished || Task.isCancelled || state.reader != nil { return .some(nil) }
                    state.reader = continuation
                    return .none
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
    }
}
