// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A holder's side, or a broker, with one defect: proof that the checker of a ``HolderSimulation`` notices it.
package enum HolderMutation: String, CaseIterable, Sendable {
    /// Timers go off a minute late, so that a scope learns too late that its time is over.
    case sleepsLong
    /// Nobody is told what others do to a lease.
    case hearsNothing
    /// A lease is believed to run a minute and a half longer than it does.
    case overstatesEnds
    /// What was rotated away is never given back.
    case keepsOldOnes
    /// What is issued below a parent does not belong to it.
    case forgetsParents
    /// A revocation is answered, and nothing is done.
    case swallowsRevocations
    /// A scope leaves its lease behind.
    case leavesScopes
    /// The first failure to make a credential is the answer for ever.
    case remembersFailures
    /// A renewal that fails is taken for the end of the lease, and another credential is made.
    case mintsOnFailure
    /// A renewal that fails is tried again without a pause.
    case retriesHot
    /// A pool is handed an older generation again.
    case replaysGenerations
    /// Events get lost on their way to whoever listens.
    case losesEvents
    /// An end is told twice.
    case endsTwice

    /// Which invariants it breaks: noticing it by another one proves nothing.
    package var invariants: Set<Int> {
        switch self {
        case .sleepsLong: [1]
        // Who does not hear of an end, or of an earlier one, believes in too late a one, and goes on.
        case .hearsNothing: [1, 2]
        case .overstatesEnds: [2]
        case .keepsOldOnes: [3]
        case .forgetsParents: [4]
        case .swallowsRevocations, .leavesScopes, .endsTwice: [5]
        case .remembersFailures: [6]
        case .mintsOnFailure, .retriesHot: [7]
        case .replaysGenerations, .losesEvents: [8]
        }
    }
}

/// A source with a defect, between the holder and the link.
final class MutantSource<Request: Sendable, Secret: Sendable>: LeaseSource {
    private let source: RemoteSource<Request, Secret>
    private let mutation: HolderMutation?
    private let failure = Locked<LeaseError?>(nil)

    init(_ source: RemoteSource<Request, Secret>, _ mutation: HolderMutation?) {
        self.source = source
        self.mutation = mutation
    }

    var time: any LeaseTime { mutation == .sleepsLong ? LateTime(time: source.time) : source.time }

    func issue(_ request: Request, _ options: IssueOptions) async throws -> Lease<Secret> {
        var options = options
        if mutation == .forgetsParents { options.parent = nil }
        if mutation == .remembersFailures, let failure = failure.withLock({ $0 }) { throw failure }
        do {
            let lease = try await source.issue(request, options)
            return mutation == .overstatesEnds ? lease.overstated : lease
        } catch let error as LeaseError {
            failure.withLock { $0 = error }
            throw error
        }
    }

    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        do {
            let outcome = try await source.renew(id, options)
            return mutation == .overstatesEnds ? outcome.overstated : outcome
        } catch let error as LeaseError where mutation == .mintsOnFailure && error.code != .pastMaximum {
            throw LeaseError(.leaseNotFound, "a failure is taken for an end")
        } catch let error as LeaseError where mutation == .retriesHot && error.isRetryable {
            for _ in 0..<20 { if let outcome = try? await source.renew(id, options) { return outcome } }
            throw error
        }
    }

    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        let nothing = RevocationReport(order: RevocationOrderID(rawValue: 1), revoked: 1)
        switch mutation {
        case .keepsOldOnes where source.audit.handedOut.contains(id): return nothing
        case .leavesScopes where options.cause.reason == .scopeEnded: return nothing
        case .swallowsRevocations:
            source.audit.willRevoke(id)
            source.audit.revoked(id)
            return nothing
        default: return try await source.revoke(id, options)
        }
    }

    func nextChange(of lease: LeaseID, at path: String, since known: LeaseInstant) async throws -> LeaseNews {
        if mutation == .hearsNothing { try await time.sleep(until: .seconds(86_400 * 1_000)) }
        return try await source.nextChange(of: lease, at: path, since: known)
    }
}

/// Clocks whose timers are a minute late.
private struct LateTime: LeaseTime {
    let time: any LeaseTime
    func read() -> TimeReading { time.read() }
    func sleep(until deadline: Duration) async throws { try await time.sleep(until: deadline + .seconds(60)) }
}

/// Passes events on, but for those that a defect loses or repeats.
struct MutantObserver: LeaseObserver {
    let observer: RecordingObserver
    let mutation: HolderMutation?

    func observe(_ event: LeaseEvent) {
        if mutation == .losesEvents, event.kind == .issued { return }
        observer.observe(event)
        if mutation == .endsTwice, event.outcome != nil { observer.observe(event) }
    }
}

extension Lease {
    fileprivate var overstated: Lease {
        Lease(
            id: id,
            path: path,
            secret: secret,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            validUntil: validUntil + .seconds(90),
            isRenewable: isRenewable,
            terms: TTLDecision(
                ttl: terms.ttl + .seconds(90),
                expiresAt: terms.expiresAt,
                boundBy: terms.boundBy,
                leftToMaximum: terms.leftToMaximum.map { $0 + .seconds(90) }
            ),
            window: window
        )
    }
}

extension RenewalOutcome {
    fileprivate var overstated: RenewalOutcome {
        RenewalOutcome(
            expiresAt: expiresAt,
            validUntil: validUntil + .seconds(90),
            granted: granted + .seconds(90),
            asked: asked,
            boundBy: boundBy,
            leftToMaximum: leftToMaximum.map { $0 + .seconds(90) },
            warnings: warnings,
            window: window
        )
    }
}
