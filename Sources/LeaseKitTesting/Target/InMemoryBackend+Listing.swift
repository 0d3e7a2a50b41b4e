// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension InMemoryBackend: InventoryListing {
    /// Reads one page of a deployment's users, in order of name.
    public func inventory(
        of deployment: String,
        after cursor: String?,
        _ call: BackendCall
    ) async throws -> InventoryPage<InMemoryHandle> {
        let body = TargetRequest.Body.list(deployment: deployment, after: cursor, limit: pageSize)
        let (reply, arrivedAt) = try await exchange(.inventory, nil, body, call)
        guard case .page(let principals, let next) = reply else { throw Self.confused }
        let items = principals.compactMap { principal -> InventoryPage<InMemoryHandle>.Item? in
            guard let mark = principal.mark else { return nil }
            // An age by the target's clock, told by ours.
            let age = principal.madeAt.duration(to: arrivedAt)
            return InventoryPage.Item(
                handle: InMemoryHandle(name: principal.name, number: principal.number),
                mark: mark,
                madeAt: call.now - age
            )
        }
        return InventoryPage(items: items, next: next)
    }
}

extension InMemoryBackend: BatchRevoking {
    /// Fifty at once.
    public var batchLimit: Int { 50 }

    /// Ends many users, each with a request of its own.
    public func revoke(_ items: [BatchItem<InMemoryHandle>]) async -> [Result<RevocationOutcome, any Error>] {
        await withTaskGroup(of: (Int, Result<RevocationOutcome, any Error>).self) { group in
            for (place, item) in items.enumerated() {
                // Not `return (place, .success(try await …))`: Swift 6.3.1 with optimization forgets to store the first part of
                // such a tuple, and the answers would come back under each other's numbers.
                group.addTask { (place, await self.answer(to: item)) }
            }
            let answers = await group.reduce(into: [Int: Result<RevocationOutcome, any Error>]()) { $0[$1.0] = $1.1 }
            return items.indices.compactMap { answers[$0] }
        }
    }

    private func answer(to item: BatchItem<InMemoryHandle>) async -> Result<RevocationOutcome, any Error> {
        do { return .success(try await revoke(item.handle, item.call)) } catch { return .failure(error) }
    }
}
