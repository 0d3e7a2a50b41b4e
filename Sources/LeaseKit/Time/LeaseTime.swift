// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The one source of time: reads every clock in one sample, and sleeps.
///
/// Leases run on elapsed time. The wall clock names instants and is watched for jumps; it decides nothing while the
/// process runs.
public protocol LeaseTime: Sendable {
    /// Reads all clocks at once.
    func read() -> TimeReading
    /// Sleeps until the continuous clock shows `deadline`. Throws `CancellationError` when the task is cancelled.
    func sleep(until deadline: Duration) async throws
}

/// One sample of all clocks.
public struct TimeReading: Hashable, Sendable {
    /// What the wall clock shows; may jump.
    public var wall: LeaseInstant
    /// Time since the machine started, suspends included.
    public var continuous: Duration
    /// Time since the machine started, suspends left out.
    public var suspending: Duration
    /// Which start of the machine this is; empty where there is no telling.
    public var bootID: String

    /// Makes a sample.
    public init(wall: LeaseInstant, continuous: Duration, suspending: Duration, bootID: String) {
        self.wall = wall
        self.continuous = continuous
        self.suspending = suspending
        self.bootID = bootID
    }
}
