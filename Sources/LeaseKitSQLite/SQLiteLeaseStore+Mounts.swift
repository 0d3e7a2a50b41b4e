// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension SQLiteLeaseStore {
    /// Every mount that was ever registered and not removed.
    public func mounts() async throws -> StoreReply<[MountRegistration]> {
        try await read { $0.registrations }
    }

    /// Registers a mount at a path where none is, or answers the one that is there.
    public func register(
        path: String,
        kind: String,
        _ context: StoreContext
    ) async throws -> StoreReply<MountRegistration> {
        try await write(context) { $0.register(path: path, kind: kind) }
    }

    /// Changes a mount's fingerprint.
    public func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try await write(context) { $0.adopt(fingerprint, for: mount, expected: expected) }
    }

    /// Forgets a mount that has no leases; false when it has some.
    public func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await write(context) { try $0.unregister(mount) }
    }

    /// Reads a mount's own small state.
    public func loadState(_ mount: MountID, key: String) async throws -> StoreReply<MountState?> {
        try await read { try $0.loadState(mount, key: key) }
    }

    /// Writes a mount's own small state if its version is still `expectedVersion`; without bytes, deletes it.
    public func saveState(
        _ mount: MountID,
        key: String,
        expectedVersion: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<UInt64?> {
        try await write(context) {
            try $0.saveState(mount, key: key, expected: expectedVersion, bytes: bytes, due: due)
        }
    }

    /// Keeps the newest observed time, for the next start.
    public func record(_ time: ObservedTime) async throws {
        try await runner.run { try $0.table().record(time) }
    }

    /// Begins a new epoch and forgets every doubt about being a restored copy.
    public func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64> {
        try await write(context) { try $0.beginEpoch(context) }
    }
}

// MARK: - The two ways in

extension SQLiteLeaseStore {
    func write<Value: Sendable>(
        _ context: StoreContext,
        _ body: @escaping @Sendable (LeaseTable) throws -> Value
    ) async throws -> StoreReply<Value> {
        try await runner.run { engine in
            let table = try engine.table(for: context)
            return StoreReply(try body(table), setAside: table.takeSetAside())
        }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (LeaseTable) throws -> Value
    ) async throws -> StoreReply<Value> {
        if Task.isCancelled { throw CancellationError() }
        return try await runner.run { engine in
            let table = try engine.table()
            return StoreReply(try body(table), setAside: table.takeSetAside())
        }
    }
}

extension LeaseChange {
    var isInsertion: Bool {
        if case .insert = self { true } else { false }
    }
}
