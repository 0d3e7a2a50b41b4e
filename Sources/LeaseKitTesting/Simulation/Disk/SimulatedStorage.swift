// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What the deployments of a ``Simulation`` keep their leases on.
public struct SimulatedStorage: Sendable {
    /// What a deployment is to be like.
    struct Wish: Sendable {
        var name: String
        /// Whether several managers work on one store.
        var isShared = false
        /// Whether the leases go with the process.
        var isVolatile = false
        var seed: UInt64
    }

    /// Whether a wish for a shared or a volatile store can be granted.
    let isWishGranted: Bool
    let makeDisk: @Sendable (Wish) throws -> any SimulatedDisk

    /// In-memory stores: durable ones, shared ones, and volatile ones.
    public static let memory = SimulatedStorage(isWishGranted: true) { wish in
        wish.isVolatile ? VolatileDisk(wish) as any SimulatedDisk : MemoryDisk(wish)
    }

    private init(isWishGranted: Bool, makeDisk: @escaping @Sendable (Wish) throws -> any SimulatedDisk) {
        self.isWishGranted = isWishGranted
        self.makeDisk = makeDisk
    }

    /// Durable stores of another kind, each for one manager at a time.
    ///
    /// `makeDisk` is called once for each deployment of a run, with a seed that differs between them and is the same in each
    /// replay.
    public init(_ makeDisk: @escaping @Sendable (_ seed: UInt64) throws -> any SimulatedDisk) {
        self.init(isWishGranted: false) { try makeDisk($0.seed) }
    }
}
