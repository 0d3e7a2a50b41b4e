// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the store said when it was opened.
///
/// Shared and not copied, since every call asks for a part of it, some several times.
final class OpenedStore: Sendable {
    private let opening: StoreOpening
    /// When it was opened.
    let openedAt: LeaseInstant

    init(_ opening: StoreOpening, at openedAt: LeaseInstant) {
        self.opening = opening
        self.openedAt = openedAt
    }

    var deployment: String { opening.deployment }
    var incarnation: Incarnation { opening.incarnation }
    var epoch: UInt64 { opening.epoch }
    var livedEpochs: Set<UInt64> { opening.livedEpochs }
    var observed: ObservedTime? { opening.observed }

    /// The same store in a new epoch, of which there is no doubt.
    ///
    /// - Parameter now: What is older has no say any more in whether there is another copy.
    func entering(epoch: UInt64, at now: ObservedTime) -> OpenedStore {
        var next = opening
        next.epoch = epoch
        next.livedEpochs.insert(epoch)
        next.doubts = []
        next.observed = now
        return OpenedStore(next, at: openedAt)
    }
}
