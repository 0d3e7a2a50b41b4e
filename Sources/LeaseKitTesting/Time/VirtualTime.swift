// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Time that moves only when a test says so: wall, continuous and suspending clocks, sleepers, boots.
///
/// The way to use it without guessing: wait until the subject has armed its timer, then move the time.
///
///     try await time.waitUntilArmed(within: .seconds(60))
///     await time.advance(by: .seconds(60))
///
/// Nothing here yields or polls. Under a ``SeededExecutor`` the time moves by itself whenever nothing else can run.
///
/// Several virtual times can share one true time: ``init(sharing:wallOffset:uptime:name:)`` is another machine, whose
/// clocks may be apart; ``process(named:)`` another process on the same machine, which can be stopped alone.
public final class VirtualTime: LeaseTime, Sendable {
    let line: Timeline
    let process: Int
    let machine: Int
    /// What error messages call it.
    public let name: String

    private init(line: Timeline, process: Int, machine: Int, name: String) {
        self.line = line
        self.process = process
        self.machine = machine
        self.name = name
    }

    /// Makes a time of its own, on a machine that has just started.
    ///
    /// The wall clock starts at 2026-01-01T00:00:00Z unless told otherwise.
    public convenience init(
        wall: LeaseInstant = LeaseInstant(secondsSinceEpoch: 1_767_225_600),
        uptime: Duration = .zero,
        name: String = "time"
    ) {
        let line = Timeline()
        let place = line.addMachine(wall: { _ in wall }, uptime: uptime, name: name)
        self.init(line: line, process: place.process, machine: place.machine, name: name)
    }

    /// Makes another machine in the same true time, whose wall clock is `wallOffset` ahead of the other's.
    ///
    /// It has its own boot, jumps, drift and suspends. Advancing either of the two advances both.
    public convenience init(
        sharing other: VirtualTime,
        wallOffset: Duration = .zero,
        uptime: Duration = .zero,
        name: String? = nil
    ) {
        let name = name ?? "\(other.name)'"
        let from = other.machine
        let place = other.line.addMachine(
            wall: { $0.machines[from].wall(at: $0.now) + wallOffset },
            uptime: uptime,
            name: name
        )
        self.init(line: other.line, process: place.process, machine: place.machine, name: name)
    }

    /// Another process on the same machine: the same clocks, but its own sleepers, stopped and resumed on its own.
    public func process(named name: String) -> VirtualTime {
        let index = line.state.withLock { state in
            state.processes.append(Timeline.Process(name: name, machine: machine))
            return state.processes.count - 1
        }
        return VirtualTime(line: line, process: index, machine: machine, name: name)
    }

    /// Reads all clocks at once.
    public func read() -> TimeReading {
        line.state.withLock { $0.machines[machine].reading(at: $0.now) }
    }

    /// Sleeps until the continuous clock shows `deadline`.
    ///
    /// A deadline that has passed already does not suspend, unless the process is stopped. A cancelled sleep ends at
    /// once with `CancellationError`.
    public func sleep(until deadline: Duration) async throws {
        let sequence = line.state.withLock { $0.draw() }
        try Task.checkCancellation()
        if line.isOver(deadline, process: process) { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                line.insert(continuation, until: deadline, process: process, sequence: sequence)
            }
        } onCancel: {
            line.cancel(sequence, process: process)
        }
    }

    /// Sleeps for a while.
    public func sleep(for duration: Duration) async throws {
        try await sleep(until: read().continuous + duration)
    }

    /// Moves every clock that shares this true time, waking each sleeper at its very deadline, in order.
    ///
    /// Under a ``SeededExecutor`` everything that a sleeper sets off has happened before the time moves on, further
    /// sleeps included. Without one, what a woken task does next runs on its own; wait for it with
    /// ``waitUntilArmed(within:)`` before moving further.
    public func advance(by duration: Duration) async {
        await line.advance(by: duration)
    }

    /// The wall clock, as ``read()`` shows it.
    public var wall: LeaseInstant { read().wall }

    /// When the earliest sleeper of this process wakes, by the continuous clock; nil when nobody sleeps.
    public var nextDeadline: Duration? {
        line.state.withLock { state in
            state.processes[process].sleepers.first.map { $0.deadline - state.machines[machine].bootedAt }
        }
    }

    /// How many sleepers this process has.
    public var sleeperCount: Int {
        line.state.withLock { $0.processes[process].sleepers.count }
    }
}
