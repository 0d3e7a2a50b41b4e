// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The boundaries between the steps of a lease's way, at any of which the process can be made to die.
package final class KillSteps: Sendable {
    /// A boundary.
    package enum Step: String, CaseIterable, Sendable {
        case beforeCommit, afterCommit, beforeMake, afterMake, beforeMove, afterMove, beforeEnd, afterEnd
    }

    private let deadly: (step: Step, count: Int)?
    private let reached = Atomic<Int>(0)

    /// Makes steps that kill the process at one of them, when it is reached for the count-th time: `afterMake:3`.
    package init(_ text: String?) {
        let parts = (text ?? "").split(separator: ":")
        guard parts.count == 2, let step = Step(rawValue: String(parts[0])), let count = Int(parts[1]) else {
            deadly = nil
            return
        }
        deadly = (step, count)
    }

    package func reach(_ step: Step) {
        guard let deadly, deadly.step == step else { return }
        if reached.wrappingAdd(1, ordering: .relaxed).newValue == deadly.count { kill(getpid(), SIGKILL) }
    }
}
