// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which orders are being carried out here, and who waits for their reports.
final class OrderBoard: Sendable {
    private struct State {
        var unexpanded: [RevocationOrderID] = []
        var incomplete: Set<RevocationOrderID> = []
        var waiters: [RevocationOrderID: [Reply<RevocationOrder>]] = [:]
    }

    private let state = Locked(State())

    /// Puts an order on the list of those whose leases have to be found.
    func add(_ id: RevocationOrderID) {
        state.withLock { if !$0.unexpanded.contains(id) { $0.unexpanded.append(id) } }
    }

    /// Takes an order off the list.
    func didExpand(_ id: RevocationOrderID) {
        state.withLock { $0.unexpanded.removeAll { $0 == id } }
    }

    /// The orders whose leases have to be found, oldest first.
    var unexpanded: [RevocationOrderID] { state.withLock { $0.unexpanded } }

    /// Notes an order whose completion is news.
    func follow(_ id: RevocationOrderID) { state.withLock { _ = $0.incomplete.insert(id) } }

    /// Notes that an order is complete; true for whoever notices first.
    func didComplete(_ id: RevocationOrderID) -> Bool { state.withLock { $0.incomplete.remove(id) != nil } }

    /// The orders whose completion is news.
    var followed: [RevocationOrderID] { state.withLock { Array($0.incomplete) } }

    /// Waits for an order: the answer comes through the reply.
    func wait(for id: RevocationOrderID) -> Reply<RevocationOrder> {
        let reply = Reply<RevocationOrder>()
        state.withLock { $0.waiters[id, default: []].append(reply) }
        return reply
    }

    /// The orders of these that somebody waits for; all that are waited for when nil is given.
    func awaited(among ids: [RevocationOrderID]? = nil) -> [RevocationOrderID] {
        state.withLock { state in
            for (id, waiters) in state.waiters where waiters.allSatisfy(\.isAbandoned) { state.waiters[id] = nil }
            let awaited = Array(state.waiters.keys)
            guard let ids else { return awaited }
            return awaited.filter(ids.contains)
        }
    }

    /// Tells the waiters of an order that all it covers has an outcome, or is stuck.
    func report(_ order: RevocationOrder) {
        let waiters = state.withLock { $0.waiters.removeValue(forKey: order.id) } ?? []
        for waiter in waiters { waiter.deliver(.success(order)) }
    }
}
