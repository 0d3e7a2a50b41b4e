// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A credential that is handed out: what a reader of ``RotatingCredential/current`` takes with one reference.
///
/// The part that needs no type of a secret, so that reading it needs none either.
class HeldCredential: @unchecked Sendable {
    // Unchecked for the sake of the subclass alone: everything here and there is constant and sendable.
    let number: UInt64
    let lease: LeaseID
    let path: String
    let validUntil: Duration
    /// The cheap half of the question whether it is still valid.
    private let freshness: Freshness?

    init(number: UInt64, lease: LeaseID, path: String, validUntil: Duration, _ freshness: Freshness?) {
        self.freshness = freshness
        self.number = number
        self.lease = lease
        self.path = path
        self.validUntil = validUntil
    }

    /// Whether it is valid beyond doubt; if not, the clock has to be asked.
    final var isSurelyValid: Bool { freshness?.isSure ?? false }
}

/// The same with its secret.
final class HeldSecret<Secret: Sendable>: HeldCredential, @unchecked Sendable {
    let secret: Secret

    init(
        _ secret: Secret,
        number: UInt64,
        lease: LeaseID,
        path: String,
        validUntil: Duration,
        _ freshness: Freshness?
    ) {
        self.secret = secret
        super.init(number: number, lease: lease, path: path, validUntil: validUntil, freshness)
    }
}

/// A new credential before anybody gets it.
struct CredentialCandidate: Sendable {
    let lease: LeaseID
    let path: String
    let broker: Int
    let term: RenewalTerm
    let named: (end: LeaseInstant, at: Duration)
    let window: RenewalWindow?
    /// Tries it out.
    let validate: @Sendable () async throws -> Void
    /// Makes what is handed out of it.
    let hold: @Sendable (_ number: UInt64, _ validUntil: Duration, _ freshness: Freshness?) -> HeldCredential
}

/// How a rotating credential reaches its sources: by calls that know the types of request and secret.
struct RotationCalls: Sendable {
    let make: @Sendable (_ broker: Int, _ askedAt: Duration) async throws -> CredentialCandidate
    let renew: @Sendable (_ lease: LeaseID, _ broker: Int) async throws -> RenewalOutcome
    let revoke: @Sendable (_ lease: LeaseID, _ home: Int, _ wait: Duration) async throws -> Void
    let nextChange: @Sendable (_ candidate: CredentialCandidate, _ known: LeaseInstant) async throws -> LeaseNews
}

extension RotationCalls {
    init<Request, Secret>(
        _ route: LeaseRoute<Request, Secret>,
        _ request: Request,
        _ options: IssueOptions,
        validate: (@Sendable (Secret) async throws -> Void)?
    ) {
        var options = options
        // Each generation is another request.
        options.requestID = nil
        let given = options
        make = { broker, askedAt in
            let lease = try await route.sources[broker].issue(request, given)
            let secret = lease.secret
            return CredentialCandidate(
                lease: lease.id,
                path: lease.path,
                broker: broker,
                term: RenewalTerm(lease, askedAt: askedAt, broker: broker, route.policy),
                named: (lease.expiresAt, lease.validUntil),
                window: lease.window,
                validate: { try await validate?(secret) },
                hold: {
                    HeldSecret(secret, number: $0, lease: lease.id, path: lease.path, validUntil: $1, $2)
                }
            )
        }
        renew = { try await route.renew($0, through: $1) }
        revoke = { lease, home, wait in
            try await route.revoke(lease, home: home, RevokeOptions(cause: LeaseCause(.rotated), wait: wait))
        }
        nextChange = { try await route.sources[$0.broker].nextChange(of: $0.lease, at: $0.path, since: $1) }
    }
}
