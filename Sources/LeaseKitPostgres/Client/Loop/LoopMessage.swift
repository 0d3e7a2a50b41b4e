// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What others tell the thread that owns the connections.
enum LoopMessage: Sendable {
    case run(Job)
    /// The task that waits for this job was cancelled.
    case cancel(job: UInt64)
    /// The session ended.
    case giveBack(session: UInt64)
    /// The addresses of a host, for a link that connects; empty when there is none.
    case found(link: UInt64, addresses: [String])
    /// Take no more; answer when the last connection is closed.
    case close(@Sendable () -> Void)
    /// The client is gone: end when the last connection is closed.
    case abandon
}
