// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What somebody else did to a lease, as its holder needs to know it.
public enum LeaseNews: Hashable, Sendable {
    /// It ends at another time than it did.
    case moved(to: LeaseInstant)
    /// It is over, or is being ended.
    case ended(LeaseLost.Reason)
}
