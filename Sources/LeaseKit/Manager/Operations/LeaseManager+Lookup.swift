// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Finds a lease by its id; nil when there is none (any more).
    public func lease(_ id: LeaseID) async throws -> LeaseRecord? {
        if !ledger.isOpen { _ = try await opened() }
        return try await ledger.find(id)
    }

    /// Reads one page of leases.
    ///
    /// There is no call that lists everything: read page by page, until ``LeasePage/next`` is nil.
    ///
    /// - Parameters:
    ///   - query: Which leases.
    ///   - cursor: Where the last page ended; nil for the first page.
    ///   - limit: The most to read, up to ``LeasePage/maximumSize``.
    public func page(
        _ query: LeaseQuery = .all,
        after cursor: LeaseCursor? = nil,
        limit: Int = 100
    ) async throws -> LeasePage {
        _ = try await opened()
        guard (1...LeasePage.maximumSize).contains(limit) else {
            throw LeaseError(
                .invalidRequest,
                "a page of \(limit) leases was asked for; ask for 1 to \(LeasePage.maximumSize) at a time"
            )
        }
        return try await ledger.ask { try await $0.page(query, after: cursor, limit: limit) }
    }

    /// Counts leases by state.
    public func counts(_ scope: LeaseCountScope = .all) async throws -> LeaseCounts {
        _ = try await opened()
        return try await ledger.ask { try await $0.counts(scope) }
    }

    /// Up to `limit` orders that are not done, or that keep a path closed: those still being expanded first.
    public func openOrders(limit: Int = 100) async throws -> [RevocationOrder] {
        _ = try await opened()
        return try await ledger.ask { try await $0.openOrders(limit: limit) }
    }

    /// Every mount that the store remembers, and whether it is served here.
    public func registeredMounts() async throws -> [(registration: MountRegistration, isServed: Bool)] {
        _ = try await opened()
        return try await ledger.ask { try await $0.mounts() }.map { ($0, mounts[$0.id] != nil) }
    }

    /// How a mount's target does.
    public func health(ofMountAt path: String) throws -> MountHealth {
        let mount = try mounts.at(path)
        return mount.gate.withLock { gate in
            MountHealth(
                isTargetUp: gate.breaker.isClosed,
                downSince: gate.breaker.openSince,
                mismatch: { if case .mismatch(let found) = gate.identity { found ?? "unknown" } else { nil } }(),
                fingerprint: mount.fingerprint,
                runningCalls: gate.demands,
                runningRevocations: gate.revocations
            )
        }
    }
}

/// How a mount's target does.
public struct MountHealth: Sendable, Hashable {
    /// Whether calls go through.
    public let isTargetUp: Bool
    /// Since when it is down.
    public let downSince: LeaseInstant?
    /// The fingerprint of another target that answers in its place; `unknown` for one that does not say who it is.
    public let mismatch: String?
    /// The fingerprint of the target that the mount belongs to.
    public let fingerprint: String?
    /// How many calls to issue or renew run now.
    public let runningCalls: Int
    /// How many calls to revoke run now.
    public let runningRevocations: Int
}
