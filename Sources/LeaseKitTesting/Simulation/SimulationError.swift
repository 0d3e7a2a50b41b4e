// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Why a driven run could not go to its end.
public enum SimulationError: Error, Hashable, Sendable {
    /// Nothing can run, nobody will wake, and the root task has not finished.
    ///
    /// Lists who sleeps all the same, in processes that are stopped.
    case deadlock(sleepers: [String], seed: UInt64)
    /// Another thread put jobs on the executor, so that the run would not replay.
    ///
    /// Something in the run uses real I/O, a dispatch queue, or a task of its own.
    case foreignJobs([String], seed: UInt64)
    /// The run took more picks than allowed: probably a loop that never waits.
    case tooManyPicks(Int, seed: UInt64)
    /// The virtual time reached its limit before the root task finished.
    case timeLimit(Duration, sleepers: [String], seed: UInt64)
    /// A run was started inside another one on the same executor.
    case alreadyDriving
}

extension SimulationError: CustomStringConvertible {
    /// What happened, with the seed that repeats it.
    public var description: String {
        switch self {
        case .deadlock(let sleepers, let seed):
            "deadlock: no job is ready and nobody will wake; asleep: \(Self.list(sleepers)) [seed \(seed)]"
        case .foreignJobs(let jobs, let seed):
            "\(jobs.count) job(s) came from another thread (\(Self.list(jobs))), so the run cannot be replayed; "
                + "keep real I/O, dispatch queues and detached tasks out of it [seed \(seed)]"
        case .tooManyPicks(let picks, let seed):
            "the run is not over after \(picks) picks; look for a loop that never waits [seed \(seed)]"
        case .timeLimit(let limit, let sleepers, let seed):
            "the run is not over after \(limit) of virtual time; asleep: \(Self.list(sleepers)) [seed \(seed)]"
        case .alreadyDriving:
            "this executor is driving a run already; make another executor for another run"
        }
    }

    private static func list(_ items: [String]) -> String {
        if items.isEmpty { return "nobody" }
        return items.prefix(12).joined(separator: ", ") + (items.count > 12 ? ", and \(items.count - 12) more" : "")
    }
}
