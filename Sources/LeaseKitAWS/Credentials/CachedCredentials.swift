// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Remembers what a source answered until shortly before it ends.
///
/// One request at a time goes to the source. Well before the end a failure to renew is no trouble, and neither is a source that is
/// slow: what is remembered still works, and one alone waits for the new ones. Time is counted by the continuous clock, so that a
/// jump of the wall clock does not make a key look good for longer.
final class CachedCredentials: RefreshableCredentials {
    /// How long before the end they are renewed.
    static let renewsBefore = Duration.seconds(300)
    /// How long before the end they are not handed out any more.
    static let margin = Duration.seconds(15)
    /// How long a source is left alone after a failure that did not matter yet.
    static let pause = Duration.seconds(20)

    private struct Known: Sendable {
        let credentials: AWSCredentials
        let endsAt: Duration?
        let renewsAt: Duration?
    }

    private struct State: Sendable {
        var known: Known?
        var pausedUntil = Duration.zero
        /// Whether somebody is asking the source.
        var isRenewing = false
        /// How often the source has failed, and how it did last.
        var failures = 0
        var failure: AWSError?
    }

    private let source: any AWSCredentialsProvider
    private let time: any LeaseTime
    private let gate = Gate()
    private let state = Locked(State())

    init(_ source: any AWSCredentialsProvider, _ time: any LeaseTime) {
        self.source = source
        self.time = time
    }

    func forget(_ refused: AWSCredentials) {
        state.withLock { if $0.known?.credentials == refused { $0.known = nil } }
    }

    func credentials() async throws(AWSError) -> AWSCredentials {
        if let good = good() { return good }
        let failures = state.withLock { $0.failures }
        await gate.enter()
        defer { gate.leave() }
        // Whoever was before in the gate has asked already, and was told for all who waited.
        if let good = good() { return good }
        if let failure = state.withLock({ $0.failures != failures ? $0.failure : nil }) { throw failure }
        state.withLock { $0.isRenewing = true }
        defer { state.withLock { $0.isRenewing = false } }
        do throws(AWSError) {
            let fresh = try await source.credentials()
            return try take(fresh)
        } catch {
            let now = time.read().continuous
            let usable = state.withLock { state -> AWSCredentials? in
                guard let known = state.known, let endsAt = known.endsAt, now < endsAt - Self.margin else {
                    // One who was cancelled knows nothing of the source.
                    if !Task.isCancelled { (state.failures, state.failure) = (state.failures + 1, error) }
                    return nil
                }
                state.pausedUntil = now + Self.pause
                return known.credentials
            }
            if let usable { return usable }
            throw error
        }
    }

    private func good() -> AWSCredentials? {
        let now = time.read().continuous
        return state.withLock { state in
            guard let known = state.known else { return nil }
            guard let renewsAt = known.renewsAt, let endsAt = known.endsAt else { return known.credentials }
            if now < renewsAt { return known.credentials }
            let isAnswered = state.isRenewing || now < state.pausedUntil
            return isAnswered && now < endsAt - Self.margin ? known.credentials : nil
        }
    }

    private func take(_ fresh: AWSCredentials) throws(AWSError) -> AWSCredentials {
        let reading = time.read()
        let left = fresh.expiresAt.map { reading.wall.duration(to: $0) }
        if let left, left <= .zero {
            throw AWSError(
                .badCredentials,
                "the source answers with credentials that are over since \(fresh.expiresAt ?? reading.wall)"
            )
        }
        let known = Known(
            credentials: fresh,
            endsAt: left.map { reading.continuous + $0 },
            // Short ones are renewed at three quarters, or they would be renewed at each request.
            renewsAt: left.map { reading.continuous + max($0 - Self.renewsBefore, $0 * 0.75) }
        )
        state.withLock { state in
            state.known = known
            state.pausedUntil = .zero
        }
        return fresh
    }
}

/// Lets one in at a time, in the order of their coming.
///
/// Who waits here waits as long as it takes: what happens inside has deadlines.
final class Gate: Sendable {
    private struct State: Sendable {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
