// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How many retries a client still has.
///
/// Each retry takes from it and each success gives some back, so that a service in trouble is asked less often and not more.
struct RetryBudget: Sendable {
    static let capacity = 500
    static let costOfTimeout = 10
    static let costOfOthers = 5

    private(set) var left = capacity

    /// Takes a retry out, if there is one.
    mutating func take(isTimeout: Bool) -> Int? {
        let cost = isTimeout ? Self.costOfTimeout : Self.costOfOthers
        guard left >= cost else { return nil }
        left -= cost
        return cost
    }

    /// A call succeeded: what its last retry took comes back, or one for a call that needed none.
    mutating func succeeded(after cost: Int?) { left = min(Self.capacity, left + (cost ?? 1)) }
}
