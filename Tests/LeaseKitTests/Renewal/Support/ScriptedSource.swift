// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A broker far away, as a test wants it: it grants what it is told to, and fails as it is told to.
final class ScriptedSource: LeaseSource {
    struct State: Sendable {
        var ttl = Duration.seconds(3_600)
        var leftToMaximum: Duration?
        var window: RenewalWindow?
        var issued: [LeaseID] = []
        var revoked: [LeaseID] = []
        var renewals: [(lease: LeaseID, at: Duration)] = []
        /// What happens before a renewal or an issue is answered.
        var onRenew: @Sendable (LeaseID) async throws -> Void = { _ in }
        var onIssue: @Sendable (Int) async throws -> Void = { _ in }
        var onRevoke: @Sendable (LeaseID) async throws -> Void = { _ in }
    }

    let state = Locked(State())
    let time: any LeaseTime
    private let entropy: LeaseEntropy

    init(_ time: any LeaseTime, seed: UInt64 = 1) {
        self.time = time
        entropy = .seeded(seed)
    }

    func change(_ body: @Sendable (inout State) -> Void) { state.withLock { body(&$0) } }

    var renewals: [(lease: LeaseID, at: Duration)] { state.withLock { $0.renewals } }
    var issued: [LeaseID] { state.withLock { $0.issued } }
    var revoked: [LeaseID] { state.withLock { $0.revoked } }

    func lease(_ options: IssueOptions = IssueOptions()) -> Lease<Int> {
        let now = time.read()
        let (ttl, maximum, window) = state.withLock { (options.ttl ?? $0.ttl, $0.leftToMaximum, $0.window) }
        let id = LeaseID(high: entropy.next(), low: entropy.next())
        let number = state.withLock { state in
            state.issued.append(id)
            return state.issued.count
        }
        return Lease(
            id: id,
            path: "far/away",
            secret: number,
            issuedAt: now.wall,
            expiresAt: now.wall + ttl,
            validUntil: now.continuous + ttl,
            isRenewable: true,
            terms: TTLDecision(
                ttl: ttl,
                expiresAt: now.wall + ttl,
                boundBy: .role,
                warnings: [],
                leftToMaximum: maximum,
                maximumAt: nil
            ),
            window: window
        )
    }

    func issue(_ request: String, _ options: IssueOptions) async throws -> Lease<Int> {
        let (action, count) = state.withLock { ($0.onIssue, $0.issued.count) }
        try await action(count)
        return lease(options)
    }

    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        let now = time.read()
        let (action, ttl, maximum, window) = state.withLock { state in
            state.renewals.append((id, now.continuous))
            return (state.onRenew, options.increment ?? state.ttl, state.leftToMaximum, state.window)
        }
        try await action(id)
        let granted = maximum.map { min($0, ttl) } ?? ttl
        return RenewalOutcome(
            expiresAt: now.wall + granted,
            validUntil: now.continuous + granted,
            granted: granted,
            asked: options.increment,
            boundBy: .role,
            leftToMaximum: maximum,
            warnings: [],
            window: window
        )
    }

    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        let action = state.withLock { $0.onRevoke }
        try await action(id)
        state.withLock { $0.revoked.append(id) }
        return RevocationReport(order: RevocationOrderID(rawValue: 1), revoked: 1)
    }
}

/// What a broker says when nobody can reach it.
let unreachable = LeaseError(.targetUnavailable, "the broker cannot be reached")
