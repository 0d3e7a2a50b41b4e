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
        let answers = Locked([Result<RevocationOutcome, any Error>?](repeating: nil, count: items.count))
        await withTaskGroup(of: Void.self) { group in
            for (place, item) in items.enumerated() {
                group.addTask { await self.revoke(item, answeringAt: place, in: answers) }
            }
        }
        let lost = BackendFailure(.ambiguous, "the batch has no answer for this credential")
        return answers.withLock { $0 }.map { $0 ?? .failure(lost) }
    }

    /// In a function of its own, and with nothing in the child task's result.
    ///
    /// In release builds with Swift 6.3.1, indices that child tasks returned beside their answers were seen to come back wrong;
    /// why is not known.
    private func revoke(
        _ item: BatchItem<InMemoryHandle>,
        answeringAt place: Int,
        in answers: Locked<[Result<RevocationOutcome, any Error>?]>
    ) async {
        let answer: Result<RevocationOutcome, any Error>
        do {
            let outcome = try await revoke(item.handle, item.call)
            answer = .success(outcome)
        } catch {
            answer = .failure(error)
        }
        answers.withLock { $0[place] = answer }
    }
}
