// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Those who follow one lease each: holders that want to know when somebody else ends or extends it.
final class LeaseWatches: Sendable {
    private struct State {
        var byLease: [LeaseID: [LeaseWatch]] = [:]
    }

    private let state = Locked(State())
    private let count = Atomic(0)

    /// Whether anybody follows anything.
    var isWatched: Bool { count.load(ordering: .acquiring) > 0 }

    /// Begins to follow a lease.
    func add(_ lease: LeaseID, at path: String) -> LeaseWatch {
        let watch = LeaseWatch(lease: lease, path: path)
        state.withLock { $0.byLease[lease, default: []].append(watch) }
        count.add(1, ordering: .acquiringAndReleasing)
        return watch
    }

    /// Ends it.
    func remove(_ watch: LeaseWatch) {
        state.withLock { state in
            state.byLease[watch.lease]?.removeAll { $0 === watch }
            if state.byLease[watch.lease]?.isEmpty == true { state.byLease[watch.lease] = nil }
        }
        count.subtract(1, ordering: .acquiringAndReleasing)
    }

    /// Passes an event on to those whom it concerns.
    func notice(_ event: LeaseEvent) {
        if let lease = event.lease {
            guard let news = LeaseNews(event) else { return }
            for watch in state.withLock({ $0.byLease[lease] ?? [] }) { watch.tell(news) }
        } else if event.kind == .orderPlaced {
            // An order over a path: rare, so that looking at everybody is cheap enough.
            let covered = state.withLock { state in
                state.byLease.values.flatMap { $0 }.filter { LeasePath.lies($0.path, under: event.path) }
            }
            for watch in covered { watch.tell(.ended(.revoked)) }
        }
    }
}

/// One who follows a lease.
final class LeaseWatch: Sendable {
    let lease: LeaseID
    let path: String
    private let latest = Locked<LeaseNews?>(nil)
    private let alarm = Alarm()

    init(lease: LeaseID, path: String) {
        self.lease = lease
        self.path = path
    }

    func tell(_ news: LeaseNews) {
        latest.withLock { latest in
            // An end is final: what was under way before it changes nothing.
            if case .ended = latest { return }
            latest = news
        }
        alarm.ring()
    }

    /// Waits for news that are different from what is known.
    func next(since known: LeaseInstant) async throws -> LeaseNews {
        while true {
            try Task.checkCancellation()
            if let news = latest.withLock({ $0 }), news != .moved(to: known) { return news }
            await alarm.waitForRing()
        }
    }
}

extension LeaseNews {
    /// What an event about a lease means to its holder; nil when nothing.
    init?(_ event: LeaseEvent) {
        switch event.kind {
        case .renewed:
            guard let end = event.expiresAt else { return nil }
            self = .moved(to: end)
        case .expired: self = .ended(.expired)
        case .orderPlaced, .revoked, .ending, .abandoned, .revocationFailed, .revocationStuck, .notOurs, .quarantined:
            self = .ended(event.cause?.reason == .credentialGone ? .vanished : .revoked)
        default: return nil
        }
    }
}

extension LeaseManager {
    /// Waits until a lease's end differs from `known`, or it is over.
    func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews {
        let watch = events.watches.add(lease, at: path)
        defer { events.watches.remove(watch) }
        // What happened before the watch began is in the store. One that cannot be read says nothing.
        if let found = try? await ledger.ask({ try await $0.find([lease]) }).first {
            guard let record = found, record.state == .active else { return .ended(.revoked) }
            if record.expiresAt != known { return .moved(to: record.expiresAt) }
        }
        return try await watch.next(since: known)
    }
}
