// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension OrderProgress {
    /// Counts a lease that was put under the order.
    public mutating func count(_ effect: CoverEffect) {
        switch effect {
        case .already, .nothing: return
        case .unfinished: break
        case .stuck: stuck += 1
        case .ending: ending += 1
        }
        covered += 1
    }

    /// Counts what a change did to a lease that the order covers.
    ///
    /// Every lease counts once: one that was counted as ending is not counted again when it is gone, and one that turned
    /// out to be live after all counts as unfinished again. The counters of a complete order are final.
    ///
    /// - Parameters:
    ///   - effect: What the change did.
    ///   - before: The state before it.
    ///   - wasHollow: Whether the record was hollow before it, so that its outcome was counted long ago.
    ///   - after: The state after it.
    public mutating func count(
        _ effect: UpdateEffect,
        from before: LeaseState,
        wasHollow: Bool,
        to after: LeaseState
    ) {
        if isComplete || wasHollow { return }
        if before.needsPerson { stuck -= 1 }
        switch effect {
        case .remove(let outcome), .hollow(let outcome):
            if before != .ending { count(outcome) }
        case .keep, .ending, .stuck, .freed:
            if after.needsPerson { stuck += 1 }
            if before == .ending { ending -= 1 }
            if after == .ending { ending += 1 }
        }
    }
}

extension LeaseState {
    /// Whether an order counts the lease as stuck.
    fileprivate var needsPerson: Bool { self == .stuck || self == .quarantined }
}
