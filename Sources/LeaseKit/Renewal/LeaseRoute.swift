// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The way from a holder to its leases: one source, or several that take over from each other, and how to renew through them.
///
/// Made once and used for any number of leases.
public final class LeaseRoute<Request: Sendable, Secret: Sendable>: Sendable {
    /// The sources: the first one is asked first.
    public let sources: [any LeaseSource<Request, Secret>]
    /// Whether a lease of one source can be renewed and revoked through the others: brokers on one store.
    ///
    /// Where that is not so, a source that does not answer is passed over by making another credential at the next one.
    public let sharesLeases: Bool
    /// When renewals are made, and how failed ones are tried again.
    public let policy: RenewalPolicy

    /// Makes a route through one source, and through others when it does not answer.
    ///
    /// The continuous clocks of all sources are this machine's, as ``LeaseSource/time`` shows them.
    public init(
        _ first: any LeaseSource<Request, Secret>,
        then others: [any LeaseSource<Request, Secret>] = [],
        sharesLeases: Bool = true,
        policy: RenewalPolicy = RenewalPolicy()
    ) {
        // The number of a source is kept in eight bits with each lease.
        sources = [first] + others.prefix(255)
        self.sharesLeases = sharesLeases
        self.policy = policy
    }
}

/// A route as the scheduler sees it: it renews by number, and knows nothing of secrets.
protocol RenewalRoute: AnyObject, Sendable {
    var policy: RenewalPolicy { get }
    var brokerCount: Int { get }
    var sharesLeases: Bool { get }
    func renew(_ lease: LeaseID, through broker: Int) async throws -> RenewalOutcome
}

extension LeaseRoute: RenewalRoute {
    var brokerCount: Int { sources.count }

    func renew(_ lease: LeaseID, through broker: Int) async throws -> RenewalOutcome {
        try await sources[min(broker, sources.count - 1)].renew(lease, RenewOptions(increment: policy.increment))
    }

    /// Revokes through the source that has the lease, or through any that answers.
    func revoke(_ lease: LeaseID, home: Int, _ options: RevokeOptions) async throws {
        var trouble: (any Error)?
        for step in 0..<(sharesLeases ? sources.count : 1) {
            do {
                _ = try await sources[(home + step) % sources.count].revoke(lease, options)
                return
            } catch let error as LeaseError where error.code == .leaseNotFound {
                return
            } catch {
                trouble = error
            }
        }
        if let trouble { throw trouble }
    }
}
