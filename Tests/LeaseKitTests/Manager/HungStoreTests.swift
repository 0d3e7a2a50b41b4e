// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Whatever hangs in a store, `run()` returns when its budget is used up.
@Suite struct HungStoreTests {
    /// Runs a manager whose store hangs in calls of one kind once `isHanging` is set, and lets the calls go afterwards.
    private static func run(
        hangingIn kind: StoreCall.Kind,
        _ body:
            @escaping @Sendable (ManagerWorld, _ store: any LeaseStore, _ isHanging: Locked<Bool>) async throws -> Void
    ) throws {
        try ManagerWorld.run({ $0.configuration.shutdownBudget = .seconds(4) }) { world in
            let isHanging = Locked(false)
            let gate = StoreGate()
            let store = FaultyLeaseStore(world.store) { call in
                call.kind == kind && isHanging.withLock { $0 } ? .holdBefore(gate) : nil
            }
            try await body(world, store, isHanging)
            gate.open()
        }
    }

    @Test(arguments: [StoreCall.Kind.record, .openOrders, .claimDue, .nextDue, .counts])
    func theShutdownKeepsItsBudget(kind: StoreCall.Kind) throws {
        try Self.run(hangingIn: kind) { world, store, isHanging in
            try await world.run(store: store) { fixture in
                _ = try await fixture.mount.issue("short")
                isHanging.withLock { $0 = true }
                // By now everything is due, and everything is looked at.
                try await fixture.wait(.seconds(100))
            }
            // What hangs in the way out itself has the last tenth of the budget, too.
            let isClosing = kind == .record || kind == .counts
            #expect(world.time.read().continuous == .milliseconds(isClosing ? 104_000 : 103_600))
            let note = kind == .counts ? "the store did not answer" : "leases stay in the store"
            #expect(world.log.events(.stopped).count == 1)
            #expect(world.log.events.last?.note?.contains(note) ?? false, "\(world.log.events.last?.note ?? "none")")
        }
    }

    @Test func aStoreThatHangsWhileItIsOpenedDoesNotKeepTheShutdownWaiting() throws {
        try Self.run(hangingIn: .open) { world, store, isHanging in
            isHanging.withLock { $0 = true }
            let manager = LeaseManager(store: store, configuration: world.configuration(), time: world.time)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await manager.run() }
                try await world.time.sleep(for: .seconds(10))
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(world.time.read().continuous == .milliseconds(13_600))
            #expect(world.log.events(.stopped).map(\.note) == ["the store could not be opened"])
        }
    }

    @Test func whoeverWaitsForTheStoreToBeOpenedCanGiveUp() throws {
        try Self.run(hangingIn: .open) { world, store, isHanging in
            isHanging.withLock { $0 = true }
            let manager = LeaseManager(store: store, configuration: world.configuration(), time: world.time)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await manager.run() }
                try await world.time.sleep(for: .seconds(1))
                try await withThrowingTaskGroup(of: Void.self) { asking in
                    asking.addTask {
                        await #expect(throws: CancellationError.self) { _ = try await manager.counts() }
                    }
                    try await world.time.sleep(for: .seconds(1))
                    asking.cancelAll()
                    try await asking.waitForAll()
                }
                #expect(world.time.read().continuous == .seconds(2))
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func aStoreThatCannotBeOpenedIsTheErrorOfTheScope() throws {
        try ManagerWorld.run { world in
            let script = StoreScript()
            script.next(.other(.open), .refused)
            let hasBegun = Locked(false)
            await expectRefusal(.storeRefused, "the disk is full") {
                try await withLeaseManager(
                    store: script.store(world.store),
                    configuration: world.configuration(),
                    time: world.time
                ) { manager in
                    hasBegun.withLock { $0 = true }
                    _ = try await manager.counts()
                }
            }
            #expect(!hasBegun.withLock { $0 })
            #expect(world.log.events(.stopped).map(\.note) == ["the store could not be opened"])
        }
    }
}
