// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The deadlines of all calls that are waited for: one sleeper for all of them.
///
/// A timer for each would be two more tasks to start and to put away with each call, and nearly none of them ever goes off.
final class Deadlines: Sendable {
    private struct Entry {
        let deadline: Duration
        let expire: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var last: UInt64 = 0
        var isClosing = false
    }

    private let state = Locked(State())
    private let alarm = Alarm()

    /// Has `expire` called when the continuous clock shows `deadline`, unless it is removed before.
    func add(_ deadline: Duration, _ expire: @escaping @Sendable () -> Void) -> UInt64 {
        let ticket = state.withLock { state in
            state.last += 1
            state.entries[state.last] = Entry(deadline: deadline, expire: expire)
            return state.last
        }
        alarm.ring(ifLaterThan: deadline)
        return ticket
    }

    /// Takes a deadline back; whether it has come is not told.
    ///
    /// The sleeper is not woken for it: it looks again when the deadline would have come.
    func remove(_ ticket: UInt64) {
        let isLast = state.withLock { state in
            state.entries[ticket] = nil
            return state.isClosing && state.entries.isEmpty
        }
        if isLast { alarm.ring() }
    }

    /// Ends ``serve(_:)`` once nobody waits any more.
    func close() {
        state.withLock { $0.isClosing = true }
        alarm.ring()
    }

    /// Calls what is due, until it is closed.
    func serve(_ time: any LeaseTime) async {
        while true {
            alarm.arm(until: Self.never)
            let now = time.read().continuous
            let (due, next) = state.withLock { state -> ([(UInt64, Entry)], Duration?) in
                let due = state.entries.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
                for (ticket, _) in due { state.entries[ticket] = nil }
                if state.entries.isEmpty { return (due, state.isClosing ? nil : Self.never) }
                return (due, state.entries.values.reduce(Self.never) { min($0, $1.deadline) })
            }
            for (_, entry) in due { entry.expire() }
            guard let next else { return }
            if next == Self.never { await alarm.waitForRing() } else { await alarm.wait(until: next, time) }
        }
    }

    private static let never = Duration.seconds(Int64.max / 4)
}
