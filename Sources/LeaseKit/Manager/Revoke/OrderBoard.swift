// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which orders are being carried out here, and who waits for their reports.
final class OrderBoard: Sendable {
    private struct State {
        var unexpanded: [(id: RevocationOrderID, cause: LeaseCause)] = []
        var unfinished: Set<RevocationOrderID> = []
        var waiters: [RevocationOrderID: [Reply<RevocationOrder>]] = [:]
    }

    private let state = Locked(State())

    /// Follows an order until it is complete, and puts it on the list of those whose leases have to be found.
    func follow(_ order: RevocationOrder) {
        guard !order.progress.isComplete else { return }
        state.withLock { state in
            state.unfinished.insert(order.id)
            if !order.progress.isExpanded && !state.unexpanded.contains(where: { $0.id == order.id }) {
                state.unexpanded.append((order.id, order.cause))
            }
        }
    }

    /// Follows an order no more; true for the first call, who may tell the world.
    func finish(_ id: RevocationOrderID) -> Bool {
        state.withLock { $0.unfinished.remove(id) != nil }
    }

    /// Takes an order off the list.
    func didExpand(_ id: RevocationOrderID) {
        state.withLock { $0.unexpanded.removeAll { $0.id == id } }
    }

    /// The orders whose leases have to be found, oldest first, and why.
    var unexpanded: [(id: RevocationOrderID, cause: LeaseCause)] { state.withLock { $0.unexpanded } }

    /// Every order that is followed or waited for, in an order that is the same in every run.
    var followed: [RevocationOrderID] {
        state.withLock { $0.unfinished.union($0.waiters.keys).sorted { $0.rawValue < $1.rawValue } }
    }

    /// Waits for an order: the answer comes through the reply.
    ///
    /// Whoever waits no more says so by ``stopWaiting(_:for:)``.
    func wait(for id: RevocationOrderID) -> Reply<RevocationOrder> {
        let reply = Reply<RevocationOrder>()
        state.withLock { $0.waiters[id, default: []].append(reply) }
        return reply
    }

    /// Whether a reply has not been given yet.
    func isWaiting(_ reply: Reply<RevocationOrder>, for id: RevocationOrderID) -> Bool {
        state.withLock { $0.waiters[id]?.contains { $0 === reply } ?? false }
    }

    /// Forgets somebody who waited: answered, out of time or cancelled.
    func stopWaiting(_ reply: Reply<RevocationOrder>, for id: RevocationOrderID) {
        state.withLock { state in
            state.waiters[id]?.removeAll { $0 === reply }
            if state.waiters[id]?.isEmpty ?? false { state.waiters[id] = nil }
        }
    }

    /// Whether an order is followed: it has not been completed, as far as is known here.
    func isFollowing(_ id: RevocationOrderID) -> Bool { state.withLock { $0.unfinished.contains(id) } }

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
        state.withLock { $0.waiters.keys.sorted { $0.rawValue < $1.rawValue } }
    }

    /// Tells the waiters of an order that all it covers has an outcome, or is stuck.
    func report(_ order: RevocationOrder) {
        let waiters = state.withLock { $0.waiters.removeValue(forKey: order.id) } ?? []
        for waiter in waiters { waiter.deliver(.success(order)) }
    }
}
