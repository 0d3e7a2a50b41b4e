// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite("Faulty lease store")
struct FaultyLeaseStoreTests {
    private static let now = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    private static let reading = TimeReading(wall: now, continuous: .zero, suspending: .zero, bootID: "boot")
    private static let id = LeaseID(high: 1, low: 2)

    private func insert(into store: any LeaseStore) async throws {
        let insertion = LeaseInsertion(
            id: Self.id,
            mount: MountID(rawValue: 1),
            path: "db",
            handle: [],
            issuedAt: Self.now,
            expiresAt: Self.now + .seconds(60),
            deadline: Self.now + .seconds(9)
        )
        let context = StoreContext(
            now: Self.now,
            operation: 9,
            incarnation: Incarnation(rawValue: 1),
            cause: LeaseCause(.requested)
        )
        _ = try await store.apply([.insert(insertion)], context)
    }

    @Test("a call that fails before is not done, one that fails after is", arguments: [false, true])
    func failures(isAfter: Bool) async throws {
        let store = FaultyLeaseStore(InMemoryLeaseStore()) { call in
            call.kind == .apply ? (isAfter ? .unknown : .unavailable) : nil
        }
        _ = try await store.open(at: Self.reading)
        let error = await #expect(throws: StoreError.self) { try await insert(into: store) }
        #expect(error?.kind == (isAfter ? .unknown : .unavailable))
        #expect((try await store.find([Self.id]).value[0]?.operation) == (isAfter ? 9 : nil))
    }

    @Test("a call that hangs goes on when its gate opens", arguments: [false, true])
    func hanging(isAfter: Bool) async throws {
        let gate = StoreGate()
        let base = InMemoryLeaseStore()
        let store = FaultyLeaseStore(base) { call in
            call.kind == .apply ? (isAfter ? .holdAfter(gate) : .holdBefore(gate)) : nil
        }
        _ = try await store.open(at: Self.reading)
        async let done: Void = insert(into: store)
        gate.open()
        try await done
        #expect(try await base.find([Self.id]).value[0] != nil)
        #expect(gate.waitingCount == 0)
    }
}
