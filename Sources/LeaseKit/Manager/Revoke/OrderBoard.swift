// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which orders are being carried out here, and who waits for their reports.
final class OrderBoard: Sendable {
    private struct State {
        var unexpanded: [RevocationOrderID] = []
        var unfinished: Set<RevocationOrderID> = []
        var waiters: [RevocationOrderID: [Reply<RevocationOrder>]] = [:]
    }

    private let state = Locked(State())

    /// Follows an order until it is complete, and puts it on the list of those whose leases have to be found.
    func follow(_ order: RevocationOrder) {
        guard !order.progress.isComplete else { return }
        state.withLock { state in
            state.unfinished.insert(order.id)
            if !order.progress.isExpanded && !state.unexpanded.contains(order.id) { state.unexpanded.append(order.id) }
        }
    }

    /// Follows an order no more; true for the first call, who may tell the world.
    func finish(_ id: RevocationOrderID) -> Bool {
        state.withLock { $0.unfinished.remove(id) != nil }
    }

    /// Takes an order off the list.
    func didExpand(_ id: RevocationOrderID) {
        state.withLock { $0.unexpanded.removeAll { $0 == id } }
    }

    /// The orders whose leases have to be found, oldest first.
    var unexpanded: [RevocationOrderID] { state.withLock { $0.unexpanded } }

    /// Waits for an order: the answer comes through the reply.
    func wait(for id: RevocationOrderID) -> Reply<RevocationOrder> {
        let reply = Reply<RevocationOrder>()
        state.withLock { $0.waiters[id, default: []].append(reply) }
        return reply
    }

    /// Whether any order is followed or waited for.
    var isWatching: Bool { state.withLock { !$0.unfinished.isEmpty || !$0.waiters.isEmpty } }

    /// The orders of these that are followed or waited for.
    func watched(among ids: [RevocationOrderID]) -> [RevocationOrderID] {
        state.withLock { state in
            if state.unfinished.isEmpty && state.waiters.isEmpty { return [] }
            return ids.filter { state.unfinished.contains($0) || state.waiters[$0] != nil }
        }
    }

    /// The orders that somebody waits for, in an order that is the same in every run.
    var awaited: [RevocationOrderID] {
        state.withLock { state in
            state.waiters = state.waiters.filter { !$0.value.allSatisfy(\.isAbandoned) }
            return state.waiters.keys.sorted { $0.rawValue < $1.rawValue }
        }
    }

    /// Tells the waiters of an order that all it covers has an outcome, or is stuck.
    func report(_ order: RevocationOrder) {
        let waiters = state.withLock { $0.waiters.removeValue(forKey: order.id) } ?? []
        for waiter in waiters { waiter.deliver(.success(order)) }
    }
}
