// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What several virtual times share: the one true time, the machines with their clocks, the processes with their
/// sleepers.
///
/// Everything is decided under one lock; continuations are resumed after it was left.
final class Timeline: Sendable {
    /// One machine's clocks, as offsets to the true time.
    struct Machine: Sendable {
        var bootID: String
        /// When the continuous clock showed zero.
        var bootedAt: Duration
        /// The wall clock at `anchor`; from there on it runs at its own rate.
        var wall: LeaseInstant
        var anchor: Duration
        var partsPerMillion = 0
        /// Since when it is suspended or down.
        var stoppedAt: Duration?
        var suspended: Duration = .zero

        func reading(at now: Duration) -> TimeReading {
            TimeReading(
                wall: wall(at: now),
                continuous: now - bootedAt,
                suspending: (stoppedAt ?? now) - bootedAt - suspended,
                bootID: bootID
            )
        }

        func wall(at now: Duration) -> LeaseInstant {
            let elapsed = now - anchor
            return wall + (elapsed + elapsed * partsPerMillion / 1_000_000)
        }

        mutating func setWall(_ wall: LeaseInstant, at now: Duration) {
            self.wall = wall
            anchor = now
        }
    }

    /// One process: its sleepers, and whether it is stopped.
    struct Process: Sendable {
        var name: String
        let machine: Int
        var isPaused = false
        var sleepers = SleeperQueue()
    }

    struct State: Sendable {
        var now: Duration = .zero
        var machines: [Machine] = []
        var processes: [Process] = []
        var waiters: [Waiter] = []
        var sequence: UInt64 = 0
        var boots = 0

        mutating func draw() -> UInt64 {
            sequence += 1
            return sequence
        }

        mutating func newBootID() -> String {
            boots += 1
            return "boot-\(boots)"
        }

        func isAwake(_ process: Int) -> Bool {
            !processes[process].isPaused && machines[processes[process].machine].stoppedAt == nil
        }

        /// The next instant at which somebody wakes.
        var nextWake: Duration? {
            var next: Duration?
            for index in processes.indices where isAwake(index) {
                guard let first = processes[index].sleepers.first?.deadline else { continue }
                next = min(next ?? first, first)
            }
            return next
        }

        /// Takes out everyone who is due now, in the order of deadlines.
        mutating func takeDue() -> [SleeperQueue.Continuation] {
            var due: [(key: SleeperQueue.Key, continuation: SleeperQueue.Continuation)] = []
            for index in processes.indices where isAwake(index) {
                due += processes[index].sleepers.takeDue(at: now)
            }
            return due.sorted { $0.key < $1.key }.map(\.continuation)
        }
    }

    let state = Locked(State())
    /// Waits until nothing else can run, while a seeded executor drives.
    let settler = Locked(Settler())

    /// In a struct of its own: a bare closure inside a generic box is wrapped once more at each access.
    struct Settler: Sendable {
        var settle: (@Sendable () async -> Void)?
    }

    /// The true time.
    var now: Duration { state.withLock { $0.now } }

    func settle() async {
        if let settle = settler.withLock({ $0.settle }) { await settle() }
    }

    /// Moves to the next instant at which somebody wakes, but not past `limit`, and wakes everyone who is due then.
    ///
    /// False when nobody sleeps that long; the time is `limit` then.
    func step(until limit: Duration?) -> Bool {
        let due: [SleeperQueue.Continuation]? = state.withLock { state in
            guard let next = state.nextWake, limit.map({ next <= $0 }) ?? true else {
                if let limit { state.now = max(state.now, limit) }
                return nil
            }
            state.now = max(state.now, next)
            return state.takeDue()
        }
        due?.forEach { $0.resume() }
        return due != nil
    }

    func advance(by duration: Duration) async {
        let target = now + max(.zero, duration)
        await settle()
        while step(until: target) { await settle() }
    }

    /// Wakes everyone who is due: after something that held them back is over.
    func wakeDue() {
        let due = state.withLock { $0.takeDue() }
        for sleeper in due { sleeper.resume() }
    }
}
