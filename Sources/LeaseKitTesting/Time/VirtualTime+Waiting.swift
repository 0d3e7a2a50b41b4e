// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension VirtualTime {
    /// Waits until at least `count` tasks of this process sleep.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    public func waitForSleepers(_ count: Int) async throws {
        try await line.wait(process: process) { _ in .count(count) }
    }

    /// Waits until somebody of this process sleeps until exactly `deadline` on the continuous clock.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    public func waitUntilArmed(until deadline: Duration) async throws {
        try await line.wait(process: process) { [machine] in .exactly(deadline + $0.machines[machine].bootedAt) }
    }

    /// Waits until somebody of this process has armed a timer that goes off within `duration` from now.
    ///
    /// Now is when the wait begins: time that passes while waiting does not move the limit.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    public func waitUntilArmed(within duration: Duration) async throws {
        try await line.wait(process: process) { .atLatest($0.now + duration) }
    }
}
