// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the manager knows of a backend: its handles are bytes, and it has no secret to show.
protocol ErasedBackend: Sendable {
    var kind: String { get }
    var abilities: BackendAbilities { get }
    /// The most that a batch revocation takes; nil for a backend without one.
    var batchLimit: Int? { get }
    var canListInventory: Bool { get }

    func limits(at path: String) throws -> TTLLimits
    func renew(_ handle: inout [UInt8], _ call: BackendCall) async throws -> Renewed
    func revoke(_ handle: [UInt8], _ call: BackendCall) async throws -> RevocationOutcome
    func revoke(_ items: [ErasedBatchItem]) async -> [Result<RevocationOutcome, any Error>]
    func inventory(of deployment: String, after cursor: String?, _ call: BackendCall) async throws
        -> ErasedInventoryPage
    func fingerprint(_ call: BackendCall) async throws -> String?
}

/// What a mount's holder can ask for besides: a secret of a certain type.
protocol IssuingBackend<Request, Secret>: ErasedBackend {
    associatedtype Request: Sendable
    associatedtype Secret: Sendable

    func path(for request: Request) throws -> String
    func roleVersion(at path: String) throws -> [UInt8]
    func prepare(_ request: Request, _ call: BackendCall) throws -> [UInt8]
    func issue(_ request: Request, as handle: inout [UInt8], _ call: BackendCall) async throws -> Issued<Secret>
}

struct ErasedBatchItem: Sendable {
    let handle: [UInt8]
    let call: BackendCall
}

struct ErasedInventoryPage: Sendable {
    struct Item: Sendable {
        let handle: [UInt8]
        let mark: LeaseMark
        let madeAt: LeaseInstant?
    }

    let items: [Item]
    let next: String?
}

/// A stored handle that its backend cannot read any more.
struct UnreadableHandle: Error {
    let underlying: any Error
}

/// Hides a backend's handle type behind bytes.
///
/// Its optional abilities are found once, here.
struct BackendBox<Backend: SecretBackend>: IssuingBackend {
    typealias Request = Backend.Request
    typealias Secret = Backend.Secret

    let backend: Backend
    let kind: String
    let abilities: BackendAbilities
    private let batch: (any BatchRevoking)?
    private let lister: (any InventoryListing)?

    init(_ backend: Backend) {
        self.backend = backend
        kind = backend.kind
        abilities = backend.abilities
        batch = backend as? any BatchRevoking
        lister = backend as? any InventoryListing
    }

    var batchLimit: Int? { batch.map { max(1, $0.batchLimit) } }
    var canListInventory: Bool { lister != nil }

    func path(for request: Request) throws -> String { try backend.path(for: request) }
    func limits(at path: String) throws -> TTLLimits { try backend.limits(at: path) }
    func roleVersion(at path: String) throws -> [UInt8] { try backend.roleVersion(at: path) }

    func prepare(_ request: Request, _ call: BackendCall) throws -> [UInt8] {
        try backend.prepare(request, call).handleBytes
    }

    @inline(__always)
    func issue(_ request: Request, as handle: inout [UInt8], _ call: BackendCall) async throws -> Issued<Secret> {
        var typed = try Self.read(handle)
        defer { Self.write(typed, to: &handle) }
        return try await backend.issue(request, as: &typed, call)
    }

    @inline(__always)
    func renew(_ handle: inout [UInt8], _ call: BackendCall) async throws -> Renewed {
        var typed = try Self.read(handle)
        defer { Self.write(typed, to: &handle) }
        return try await backend.renew(&typed, call)
    }

    @inline(__always)
    func revoke(_ handle: [UInt8], _ call: BackendCall) async throws -> RevocationOutcome {
        try await backend.revoke(try Self.read(handle), call)
    }

    func revoke(_ items: [ErasedBatchItem]) async -> [Result<RevocationOutcome, any Error>] {
        guard let batch else { return [] }
        return await Self.revoke(items, by: batch)
    }

    func inventory(of deployment: String, after cursor: String?, _ call: BackendCall) async throws
        -> ErasedInventoryPage
    {
        guard let lister else { return ErasedInventoryPage(items: [], next: nil) }
        return try await Self.inventory(lister, deployment, cursor, call)
    }

    func fingerprint(_ call: BackendCall) async throws -> String? { try await backend.fingerprint(call) }

    /// Keeps the bytes that are there when nothing was learnt: whoever compares them sees that at once.
    private static func write(_ typed: Backend.Handle, to handle: inout [UInt8]) {
        let bytes = typed.handleBytes
        if !bytes.hasSameBytes(as: handle) { handle = bytes }
    }

    private static func read(_ handle: [UInt8]) throws -> Backend.Handle {
        do {
            return try Backend.Handle(handleBytes: handle)
        } catch {
            throw UnreadableHandle(underlying: error)
        }
    }

    private static func revoke<Batch: BatchRevoking>(
        _ items: [ErasedBatchItem],
        by batch: Batch
    ) async -> [Result<RevocationOutcome, any Error>] {
        var results = [Result<RevocationOutcome, any Error>?](repeating: nil, count: items.count)
        var readable: [BatchItem<Batch.Handle>] = []
        var places: [Int] = []
        for (place, item) in items.enumerated() {
            do {
                readable.append(BatchItem(handle: try Batch.Handle(handleBytes: item.handle), call: item.call))
                places.append(place)
            } catch {
                results[place] = .failure(UnreadableHandle(underlying: error))
            }
        }
        for (place, answer) in zip(places, await batch.revoke(readable)) { results[place] = answer }
        return results.map { $0 ?? .failure(BackendFailure(.ambiguous, "the batch has no answer for this credential")) }
    }

    private static func inventory<Lister: InventoryListing>(
        _ lister: Lister,
        _ deployment: String,
        _ cursor: String?,
        _ call: BackendCall
    ) async throws -> ErasedInventoryPage {
        let page = try await lister.inventory(of: deployment, after: cursor, call)
        return ErasedInventoryPage(
            items: page.items.map { .init(handle: $0.handle.handleBytes, mark: $0.mark, madeAt: $0.madeAt) },
            next: page.next
        )
    }
}
