// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How an ``InMemoryTarget`` cannot be reached.
public enum TargetPartition: String, Hashable, Sendable, CaseIterable {
    /// Every call fails at once: the connection is refused.
    case refusing
    /// Requests vanish: nothing is done and nobody answers.
    case silent
    /// Requests arrive and are done, but every answer is lost.
    case losingReplies
}
