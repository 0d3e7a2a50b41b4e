// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A broker far away: a mount of a manager on another machine, through a link.
///
/// The broker's clocks mean nothing here: what is left of a lease is counted from the moment of asking, by this machine's own
/// clock. News of what others do arrive when the link carries them.
final class RemoteSource<Request: Sendable, Secret: Sendable>: LeaseSource {
    let mount: Mount<Request, Secret>
    let link: RemoteLink
    let broker: VirtualTime
    let audit: HolderAudit

    init(_ mount: Mount<Request, Secret>, through link: RemoteLink, broker: VirtualTime, _ audit: HolderAudit) {
        self.mount = mount
        self.link = link
        self.broker = broker
        self.audit = audit
    }

    var time: any LeaseTime { link.time }

    func issue(_ request: Request, _ options: IssueOptions) async throws -> Lease<Secret> {
        let askedAt = link.time.read().continuous
        let role = (request as? InMemoryRequest)?.role
        if let role { await audit.willIssue(role, at: askedAt) }
        let (lease, left) = try await link.carry { [mount, broker] in
            let lease = try await mount.issue(request, options)
            return (lease, lease.validUntil - broker.read().continuous)
        }
        let moved = Lease(
            id: lease.id,
            path: lease.path,
            secret: lease.secret,
            issuedAt: lease.issuedAt,
            expiresAt: lease.expiresAt,
            validUntil: askedAt + left,
            isRenewable: lease.isRenewable,
            terms: lease.terms,
            window: lease.window
        )
        let isFinal = lease.terms.leftToMaximum.map { lease.terms.ttl >= $0 } ?? false
        audit.issued(lease.id, role, grant(from: askedAt, until: moved.validUntil, isFinal: isFinal))
        return moved
    }

    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        let askedAt = link.time.read().continuous
        audit.willRenew(id)
        let (outcome, left): (RenewalOutcome, Duration)
        do {
            (outcome, left) = try await link.carry { [mount, broker] in
                let outcome = try await mount.renew(id, options)
                return (outcome, outcome.validUntil - broker.read().continuous)
            }
        } catch {
            audit.renewalFailed(id, error)
            throw error
        }
        audit.renewed(id, grant(from: askedAt, until: askedAt + left, isFinal: outcome.isAtMaximum))
        return RenewalOutcome(
            expiresAt: outcome.expiresAt,
            validUntil: askedAt + left,
            granted: outcome.granted,
            asked: outcome.asked,
            boundBy: outcome.boundBy,
            leftToMaximum: outcome.leftToMaximum,
            warnings: outcome.warnings,
            window: outcome.window
        )
    }

    private func grant(from asked: Duration, until end: Duration, isFinal: Bool) -> HolderAudit.Grant {
        HolderAudit.Grant(at: asked, heard: link.time.read().continuous, until: end, isFinal: isFinal)
    }

    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        audit.willRevoke(id)
        let report = try await link.carry { [mount] in try await mount.revoke(id, options) }
        audit.revoked(id)
        return report
    }

    func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews {
        let news = try await mount.nextChange(of: lease, at: path, since: known)
        while link.cut != nil { try await link.time.sleep(for: .seconds(1)) }
        return news
    }
}
