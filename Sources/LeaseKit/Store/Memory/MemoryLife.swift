// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the in-memory store knows of itself: whose it is, who has it open, and when it was last looked at.
///
/// A class, so that the check before every write copies nothing.
final class MemoryLife {
    let deployment: String
    let isExclusive: Bool
    @exclusivity(unchecked) var incarnation: UInt32 = 0
    /// Which managers have it open; at most one when it is exclusive.
    private var holders: Set<UInt32> = []
    @exclusivity(unchecked) private(set) var isOpen = false
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
        if isOpen && isKnown { return }
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
        guard isOpen else {
            throw StoreError(.unavailable, "this in-memory store is not open; call open(at:) before writing to it")
        }
    }

    /// Begins a new incarnation, which takes an exclusive store from the one before.
    func open() -> UInt32 {
        incarnation += 1
        if isExclusive { holders = [] }
        holders.insert(incarnation)
        isOpen = true
        return incarnation
    }

    /// Closes the store for one incarnation; one that does not have it open any more closes nothing.
    func close(_ number: UInt32) {
        holders.remove(number)
        isOpen = !holders.isEmpty
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
