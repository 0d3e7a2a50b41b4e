// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A sleep that can be cut short: how the background work waits for the next due lease or for news, whichever is first.
final class Alarm: Sendable {
    private struct State {
        var rung = false
        var armedUntil: Duration?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())
    /// The nanoseconds of `armedUntil`, below all others for nil: what nearly every call finds nothing to do by.
    private let armed = Atomic(Int64.min)

    /// Wakes the sleeper, or the next one if nobody sleeps.
    ///
    /// Never put where it is used: that would make room in a caller's frame for a continuation, whose size only the runtime knows.
    @inline(never)
    func ring() {
        let waiter = state.withLock { state in
            state.rung = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Wakes the sleeper only if it would sleep for longer than that.
    ///
    /// Costs a look at one number otherwise. That is enough: whoever sleeps says until when before it reads what is due, so
    /// that of a change that it did not see the one who made it sees how long it sleeps.
    func ring(ifLaterThan deadline: Duration) {
        if armed.load(ordering: .acquiring) >= deadline.saturatingNanoseconds { ringNow(ifLaterThan: deadline) }
    }

    @inline(never)
    private func ringNow(ifLaterThan deadline: Duration) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard let armed = state.armedUntil, armed > deadline else { return nil }
            state.rung = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Sleeps until `deadline` or until it rings.
    ///
    /// What happens between reading what is due and calling this must not be missed: call ``arm(until:)`` first, read, then
    /// wait.
    func wait(until deadline: Duration, _ time: any LeaseTime) async {
        arm(until: deadline)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await time.sleep(until: deadline) }
            group.addTask { await self.rings() }
            await group.next()
            group.cancelAll()
        }
        state.withLock {
            $0.rung = false
            $0.armedUntil = nil
            armed.store(.min, ordering: .releasing)
        }
    }

    /// Sleeps until it rings or the task is cancelled.
    func waitForRing() async {
        await rings()
        state.withLock { $0.rung = false }
    }

    /// Says until when the sleeper will sleep, so that ``ring(ifLaterThan:)`` knows whom to wake.
    func arm(until deadline: Duration) {
        state.withLock {
            $0.armedUntil = deadline
            armed.store(deadline.saturatingNanoseconds, ordering: .releasing)
        }
    }

    private func rings() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.rung || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
