// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the in-memory store knows of itself: whose it is, who has it open, and when it was last looked at.
///
/// A class, so that the check before every write copies nothing.
final class MemoryLife {
    let deployment: String
    let isExclusive: Bool
    var incarnation: UInt32 = 0
    /// How many managers have it open; at most one when it is exclusive.
    var openCount = 0
    var epoch: UInt64 = 1
    var livedEpochs: Set<UInt64> = [1]
    var observed: ObservedTime?
    var doubts: [StoreDoubt] = []
    var lastMount: UInt32 = 0

    init(deployment: String, isExclusive: Bool) {
        self.deployment = deployment
        self.isExclusive = isExclusive
    }

    /// Throws unless this incarnation may write.
    @inline(__always)
    func check(_ context: StoreContext) throws(StoreError) {
        let number = context.incarnation.rawValue
        let isKnown = number == incarnation || !isExclusive && number > 0 && number < incarnation
        if openCount > 0 && isKnown { return }
        try refuse(context)
    }

    private func refuse(_ context: StoreContext) throws(StoreError) {
        try checkOpen()
        throw StoreError(
            .unavailable,
            "\(context.incarnation) does not have this store open any more; open it again, or stop this manager"
        )
    }

    /// Throws unless somebody has the store open.
    func checkOpen() throws(StoreError) {
        guard openCount > 0 else {
            throw StoreError(.unavailable, "this in-memory store is not open; call open(at:) before writing to it")
        }
    }

    /// The life of a copy, which nobody has open.
    func copy(doubts: [StoreDoubt]) -> MemoryLife {
        let copy = MemoryLife(deployment: deployment, isExclusive: isExclusive)
        copy.incarnation = incarnation
        copy.epoch = epoch
        copy.livedEpochs = livedEpochs
        copy.observed = observed
        copy.lastMount = lastMount
        copy.doubts = doubts
        return copy
    }
}
