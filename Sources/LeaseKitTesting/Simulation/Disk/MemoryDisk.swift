// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// An in-memory table that stays while processes come and go.
///
/// Unchecked, because a simulated run has one thread.
final class MemoryDisk: SimulatedDisk, @unchecked Sendable {
    private var table: InMemoryLeaseStore
    private var copy: InMemoryLeaseStore?

    init(_ wish: SimulatedStorage.Wish) {
        table = InMemoryLeaseStore(
            deployment: wish.name,
            isExclusive: !wish.isShared,
            entropy: .seeded(wish.seed),
            simulatedDurability: true
        )
    }

    func makeStore() async throws -> any LeaseStore { table }

    func processDidEnd(_ store: any LeaseStore, losingPower: Bool) async {}

    func makeCopy(isMarked: Bool, of store: any LeaseStore) async throws -> Bool {
        copy = isMarked ? table.backup() : table.unmarkedCopy()
        return true
    }

    func putBackCopy() async throws {
        if let copy { table = copy }
        copy = nil
    }
}

/// No disk at all: each process begins with an empty table, and takes it along when it ends.
///
/// Unchecked, because a simulated run has one thread.
final class VolatileDisk: SimulatedDisk, @unchecked Sendable {
    private var random: SeededGenerator

    init(_ wish: SimulatedStorage.Wish) { random = SeededGenerator(seed: wish.seed) }

    func makeStore() async throws -> any LeaseStore { InMemoryLeaseStore(entropy: .seeded(random.next())) }

    func processDidEnd(_ store: any LeaseStore, losingPower: Bool) async {}
}
