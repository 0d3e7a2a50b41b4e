// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS

/// A transport of a process that dies at its `place`th request of those that change something or ask.
final class Mortal: AWSTransport {
    private struct State: Sendable {
        var count = 0
        var isDead = false
        var isBuried = false
        var stuck: [CheckedContinuation<Void, Never>] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let aws: FakeAWS
    let place: Int
    let isDone: Bool
    private let state = Locked(State())

    init(_ aws: FakeAWS, dyingAt place: Int, done isDone: Bool) {
        self.aws = aws
        self.place = place
        self.isDone = isDone
    }

    /// How many requests there were.
    var count: Int { state.withLock { $0.count } }

    func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
        let (dies, isDead) = state.withLock { state in
            state.count += 1
            if state.isDead { return (false, true) }
            if state.isBuried { return (false, true) }
            state.isDead = state.count == place
            return (state.isDead, state.isDead)
        }
        if dies, isDone { _ = try await aws.send(request, timeout: timeout) }
        guard isDead else { return try await aws.send(request, timeout: timeout) }
        if dies {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isBuried { state.stuck.append(continuation) }
                return state.isBuried
            }
            if isOver { continuation.resume() }
        }
        throw .notSent("a dead process sends nothing")
    }

    /// Waits until the process has died, or came to its end without.
    func waitForDeath() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isDead || state.isBuried {
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    func bury() {
        let (stuck, waiters) = state.withLock { state in
            state.isBuried = true
            defer { (state.stuck, state.waiters) = ([], []) }
            return (state.stuck, state.waiters)
        }
        for continuation in stuck + waiters { continuation.resume() }
    }
}
