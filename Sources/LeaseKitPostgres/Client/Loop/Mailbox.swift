// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How others reach the thread that owns the connections.
final class Mailbox: Sendable {
    private struct State {
        var messages: [LoopMessage] = []
        var isAsleep = false
        /// Whether the thread sleeps until a connection is given back, or any other news.
        var isWaitingForSessions = false
        var isOver = false
    }

    private let state = Locked(State())
    let wakeUp: WakeUp

    init?() {
        guard let wakeUp = WakeUp() else { return nil }
        self.wakeUp = wakeUp
    }

    /// Leaves a message; false when the thread has ended.
    ///
    /// That a session gave its connection back wakes nobody unless somebody waits for one: it is read with the next message.
    @discardableResult
    func post(_ message: LoopMessage) -> Bool {
        let (isTaken, mustRing) = state.withLock { state in
            if state.isOver { return (false, false) }
            state.messages.append(message)
            if case .giveBack = message, !state.isWaitingForSessions { return (true, false) }
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if mustRing { wakeUp.ring() }
        return isTaken
    }

    /// What came since.
    func take() -> [LoopMessage] {
        state.withLock { state in
            state.isAsleep = false
            if state.messages.isEmpty { return [] }
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Whether the thread may sleep: from now on a message rings, and that a connection was given back if the thread waits for
    /// that.
    func fallAsleep(untilSessionsEnd: Bool) -> Bool {
        state.withLock { state in
            state.isAsleep = state.messages.isEmpty
            state.isWaitingForSessions = untilSessionsEnd
            return state.isAsleep
        }
    }

    /// Takes no more messages, and returns the last ones.
    func end() -> [LoopMessage] {
        state.withLock { state in
            state.isOver = true
            defer { state.messages = [] }
            return state.messages
        }
    }
}
