// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What goes wrong with clocks.
extension VirtualTime {
    /// Moves the machine's wall clock alone, as an operator or a time daemon does; sleepers do not notice.
    public func jumpWall(by duration: Duration) {
        line.state.withLock { state in
            let wall = state.machines[machine].wall(at: state.now)
            state.machines[machine].setWall(wall + duration, at: state.now)
        }
    }

    /// Sets the machine's wall clock, to whatever it shall show now.
    public func setWall(_ wall: LeaseInstant) {
        line.state.withLock { state in state.machines[machine].setWall(wall, at: state.now) }
    }

    /// Makes the machine's wall clock run faster than its continuous one from now on, or slower when negative.
    public func drift(partsPerMillion: Int) {
        line.state.withLock { state in
            state.machines[machine].setWall(state.machines[machine].wall(at: state.now), at: state.now)
            state.machines[machine].partsPerMillion = partsPerMillion
        }
    }

    /// Suspends the machine: wall and continuous clocks move, the suspending clock stands still.
    ///
    /// Its sleepers whose deadlines pass wake late, at the resume. Other machines in the same true time go on.
    public func suspend(for duration: Duration) async {
        guard stop() else { return }
        await line.advance(by: duration)
        line.state.withLock { state in
            guard let since = state.machines[machine].stoppedAt else { return }
            state.machines[machine].suspended += state.now - since
            state.machines[machine].stoppedAt = nil
        }
        line.wakeDue()
        await line.settle()
    }

    /// Restarts the machine: a new boot, the continuous clock at zero, every sleep of its processes cancelled.
    ///
    /// The wall clock goes on while the machine is down; whether the processes start again is the test's business.
    public func reboot(downFor duration: Duration = .zero) async {
        cancelSleepers()
        guard stop() else { return }
        await line.advance(by: duration)
        // Whoever still had something to do went to sleep in a machine that was down.
        cancelSleepers()
        line.state.withLock { state in
            state.machines[machine].bootID = state.newBootID()
            state.machines[machine].bootedAt = state.now
            state.machines[machine].suspended = .zero
            state.machines[machine].stoppedAt = nil
        }
        await line.settle()
    }

    /// Stops this process: the clocks go on, its sleepers do not wake until ``resume()``.
    public func pause() {
        line.state.withLock { $0.processes[process].isPaused = true }
    }

    /// Lets a stopped process go on; sleepers whose deadlines have passed wake now.
    public func resume() {
        line.state.withLock { $0.processes[process].isPaused = false }
        line.wakeDue()
    }

    /// False when it is stopped already.
    private func stop() -> Bool {
        line.state.withLock { state in
            if state.machines[machine].stoppedAt != nil { return false }
            state.machines[machine].stoppedAt = state.now
            return true
        }
    }

    private func cancelSleepers() {
        let sleepers = line.state.withLock { state in
            state.processes.indices.filter { state.processes[$0].machine == machine }
                .flatMap { state.processes[$0].sleepers.removeAll() }
        }
        for sleeper in sleepers { sleeper.resume(throwing: CancellationError()) }
    }
}
