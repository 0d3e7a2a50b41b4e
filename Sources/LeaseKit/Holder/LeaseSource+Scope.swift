// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseSource {
    /// Runs `body` with a lease that is kept valid, and revokes it on the way out: on return, on a throw and on cancellation.
    ///
    /// The lease is renewed while `body` runs. When it cannot be kept, because its time is over, it has reached its maximum,
    /// or somebody revoked it, `body` is cancelled and ``LeaseLost`` is thrown. Renewals and revocations by others are
    /// noticed as soon as the source tells of them, at the latest with the answer to the next renewal.
    ///
    /// A clean-up that fails never takes the place of `body`'s result: the lease is written down as being revoked and its end
    /// goes on in the background. It waits for ``RevokeOptions/wait`` at most.
    ///
    /// - Parameters:
    ///   - request: What is asked for.
    ///   - options: What the issue is asked for beside.
    ///   - policy: How the lease is renewed; nil leaves that to `body`, or to nobody.
    ///   - body: Gets the lease as it was issued. It runs in a child task, since only that can be cancelled.
    public func withLease<Result: Sendable>(
        _ request: Request,
        _ options: IssueOptions = IssueOptions(),
        renewing policy: RenewalPolicy? = RenewalPolicy(),
        _ body: @Sendable (Lease<Secret>) async throws -> Result
    ) async throws -> Result {
        let askedAt = time.read().continuous
        let lease = try await issue(request, options)
        let state = ScopeState(lease, askedAt: askedAt, policy)
        do {
            let result = try await keepValid(lease, state, body)
            await release(lease)
            return result
        } catch {
            await release(lease)
            throw error
        }
    }

    private func keepValid<Result: Sendable>(
        _ lease: Lease<Secret>,
        _ initial: ScopeState,
        _ body: @Sendable (Lease<Secret>) async throws -> Result
    ) async throws -> Result {
        var state = initial
        let watch = ChangeWatch(lease.expiresAt, time)
        return try await withoutActuallyEscaping(body) { body in
            try await withThrowingTaskGroup(of: ScopeEvent<Result>.self) { group in
                defer { group.cancelAll() }
                group.addTask { .done(try await body(lease)) }
                group.addTask { await next(of: lease, watch) }
                var armed: Duration?
                while true {
                    // Once the caller is cancelled, and the body with it, what the body makes of that is the result.
                    if !Task.isCancelled { armed = try act(on: &state, lease, armed, &group) }
                    guard let event = try await group.next() else { throw CancellationError() }
                    let now = time.read().continuous
                    switch event {
                    case .done(let result): return result
                    case .timer(let deadline): if armed == deadline { armed = nil }
                    case .renewed(let outcome, let attempt, let askedAt):
                        state.renewed(outcome, attempt: attempt, askedAt: askedAt)
                        watch.believe(state.named.end)
                    case .failed(let error, let attempt):
                        state.failed(error, attempt: attempt, at: now)
                    case .news(let news):
                        state.noticed(news, at: now)
                        watch.believe(state.named.end)
                        if case .moved = news { group.addTask { await next(of: lease, watch) } }
                    case .quiet: break
                    }
                }
            }
        }
    }

    /// Does what the state says is next; answers until when a timer sleeps.
    private func act<Result: Sendable>(
        on state: inout ScopeState,
        _ lease: Lease<Secret>,
        _ armed: Duration?,
        _ group: inout ThrowingTaskGroup<ScopeEvent<Result>, any Error>
    ) throws -> Duration? {
        while true {
            let now = time.read().continuous
            switch state.step(at: now) {
            case .lose(let reason): throw LeaseLost(lease: lease.id, path: lease.path, reason: reason)
            case .renew(let attempt):
                let options = RenewOptions(increment: state.increment)
                group.addTask {
                    do {
                        return .renewed(try await renew(lease.id, options), attempt: attempt, askedAt: now)
                    } catch {
                        return .failed(error, attempt: attempt)
                    }
                }
            case .wait(let deadline):
                if let armed, armed <= deadline { return armed }
                group.addTask {
                    try? await time.sleep(until: deadline)
                    return .timer(deadline)
                }
                return deadline
            }
        }
    }

    private func next<Result: Sendable>(of lease: Lease<Secret>, _ watch: ChangeWatch) async -> ScopeEvent<Result> {
        let news = await watch.next { try await nextChange(of: lease.id, at: lease.path, since: $0) }
        return news.map { .news($0) } ?? .quiet
    }

    private func release(_ lease: Lease<Secret>) async {
        _ = try? await revoke(lease.id, RevokeOptions(cause: LeaseCause(.scopeEnded)))
    }
}

/// What happened while a body runs with a lease.
private enum ScopeEvent<Result: Sendable>: Sendable {
    case done(Result)
    case timer(Duration)
    case renewed(RenewalOutcome, attempt: Int, askedAt: Duration)
    case failed(any Error, attempt: Int)
    case news(LeaseNews)
    case quiet
}
