// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the store said when it was opened.
///
/// Shared and not copied, since every call asks for a part of it, some several times.
final class OpenedStore: Sendable {
    private let opening: StoreOpening

    init(_ opening: StoreOpening) { self.opening = opening }

    var deployment: String { opening.deployment }
    var incarnation: Incarnation { opening.incarnation }
    var epoch: UInt64 { opening.epoch }
    var livedEpochs: Set<UInt64> { opening.livedEpochs }
    var observed: ObservedTime? { opening.observed }

    /// The same store in a new epoch, of which there is no doubt.
    func entering(epoch: UInt64) -> OpenedStore {
        var next = opening
        next.epoch = epoch
        next.livedEpochs.insert(epoch)
        next.doubts = []
        return OpenedStore(next)
    }
}
