// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A credential that is always there: renewed, and replaced before it ends, without anybody's requests failing.
///
/// ```swift
/// let credential = RotatingCredential("app", through: LeaseRoute(database), on: scheduler) { secret in
///     try await tryToConnect(secret)
/// }
/// let secret = try await credential.get()
/// let use = try credential.checkout(secret.generation)
/// try await connect(secret.secret)
/// use.end()
/// ```
///
/// A pool reads ``current`` when it opens a connection, keeps a ``CredentialUse`` beside it, and looks at ``updates()`` to
/// close what is old. A replacement is made before its predecessor ends, tried out, and only then handed out; the predecessor
/// is revoked when its last user is gone or the grace is over. One attempt at a time, whoever waits for it; no failure is
/// remembered longer than until the next attempt. It goes on until ``close(within:)`` or the end of the scheduler, also when
/// nobody holds it any more.
public final class RotatingCredential<Secret: Sendable>: Sendable {
    private let core: RotationCore

    /// Makes a rotating credential; the first one is made when the scheduler runs.
    ///
    /// - Parameters:
    ///   - request: What is asked for, each time. A ``IssueOptions/requestID`` is not passed on.
    ///   - route: Where it is asked for.
    ///   - scheduler: Does the work, under its ``RenewalScheduler/run()``.
    ///   - options: What each issue is asked for beside.
    ///   - policy: How a replacement is made, and its predecessor given back.
    ///   - validate: Tries a new credential out before anybody gets it; one that it throws for is revoked, and what is held
    ///     stays.
    public init<Request>(
        _ request: Request,
        through route: LeaseRoute<Request, Secret>,
        on scheduler: RenewalScheduler,
        options: IssueOptions = IssueOptions(),
        policy: RotationPolicy = RotationPolicy(),
        validate: (@Sendable (Secret) async throws -> Void)? = nil
    ) {
        core = RotationCore(
            scheduler,
            RotationCalls(route, request, options, validate: validate),
            RotationState(
                route.policy,
                policy,
                brokerCount: route.sources.count,
                sharesLeases: route.sharesLeases
            )
        )
        core.start()
    }

    /// The credential, if a valid one is held.
    ///
    /// Never waits, and is never one whose time is over.
    public var current: VersionedSecret<Secret>? {
        // Not `map`: called without knowing the type, it would cost as much again as everything else.
        guard let held = core.current else { return nil }
        // What the core hands out was made by this credential's own calls.
        return VersionedSecret(unsafeDowncast(held, to: HeldSecret<Secret>.self))
    }

    /// The credential, once a valid one is held that is good for a while yet.
    ///
    /// Waits only when there is none. Everybody who waits waits for the same attempt, and whoever goes away disturbs nobody.
    ///
    /// - Parameters:
    ///   - validFor: How long it has to be good at least: as long as it will be in use.
    ///   - limit: How long to wait; nil takes ``RotationPolicy/getTimeout``.
    /// - Throws: ``LeaseError`` with the reason when there is none in time, or `CancellationError`.
    public func get(
        validFor: Duration = .zero,
        within limit: Duration? = nil
    ) async throws -> VersionedSecret<Secret> {
        if let current, core.scheduler.now + validFor <= current.validUntil { return current }
        let held = try await core.wait(validFor: validFor, within: limit ?? core.policy.getTimeout)
        return VersionedSecret(unsafeDowncast(held, to: HeldSecret<Secret>.self))
    }

    /// The generations as they come: the current one at once, and each that takes over.
    public func updates() -> CredentialUpdates<Secret> { CredentialUpdates(core: core) }

    /// Takes a generation in hand: what was read a moment ago, before a connection is opened or let into the pool.
    ///
    /// - Throws: ``LeaseError`` when that generation is not handed out any more: read ``current`` again.
    public func checkout(_ generation: CredentialGeneration) throws -> CredentialUse {
        try core.checkOut(generation.rawValue)
        return CredentialUse(core, generation)
    }

    /// The target did not take a credential: it is replaced, unless that has happened already.
    ///
    /// At most one replacement each ``RotationPolicy/minimumInterval`` comes of it.
    public func rejected(_ generation: CredentialGeneration) { core.reject(generation.rawValue) }

    /// How it does, with the time left.
    public var health: CredentialHealth { core.health }

    /// Gives everything back: no more check-outs, users may finish, then what is held is revoked.
    ///
    /// Stopping the scheduler does the same for all.
    ///
    /// - Parameter limit: How long to wait for that; half of it is left to the users at most.
    public func close(within limit: Duration = .seconds(10)) async { await core.close(within: limit) }
}
