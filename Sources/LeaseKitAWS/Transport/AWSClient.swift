// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Calls the actions of one service: signs, sends, reads, tries again.
final class AWSClient: Sendable {
    /// A service of the Query protocol.
    struct Service: Sendable {
        let name: String
        let version: String

        static let iam = Service(name: "iam", version: "2010-05-08")
        static let sts = Service(name: "sts", version: "2011-06-15")
    }

    /// What is the same for all calls.
    struct Tools: Sendable {
        let transport: any AWSTransport
        let time: any LeaseTime
        let clock: ServerClock
        let retry: AWSRetryPolicy
        let entropy: LeaseEntropy
    }

    /// How a call is signed.
    enum Signing: Sendable {
        case own
        case with(AWSCredentials)
        case none
    }

    let service: Service
    let endpoint: AWSEndpoint
    let tools: Tools
    private let credentials: (any AWSCredentialsProvider)?
    private let signer: AWSSigner
    private let budget = Locked(RetryBudget())
    private let rates = Locked<[String: AdaptiveRate]>([:])

    init(_ service: Service, at endpoint: AWSEndpoint, as credentials: (any AWSCredentialsProvider)?, _ tools: Tools) {
        self.service = service
        self.endpoint = endpoint
        self.credentials = credentials
        self.tools = tools
        signer = AWSSigner(service: service.name, region: endpoint.signingRegion)
    }

    /// Calls an action until it is answered, refused, or time is up.
    ///
    /// `isRepeatable` says that doing it twice does no harm. What is not is tried again only when it cannot have been done.
    func call(
        _ action: String,
        _ parameters: [(name: String, value: String)] = [],
        until deadline: Duration,
        isRepeatable: Bool = true,
        signing: Signing = .own
    ) async throws(AWSError) -> AWSReply {
        var progress = Progress(action: "\(service.name):\(action)")
        let body = PercentCoding.form([("Action", action), ("Version", service.version)] + parameters)
        while true {
            do throws(AWSError) {
                let reply = try await attempt(action, body, deadline, signing, &progress)
                budget.withLock { $0.succeeded(after: progress.lastCost) }
                return reply
            } catch {
                try await prepareRetry(after: error, deadline, isRepeatable, &progress)
            }
        }
    }

    /// What a call remembers from try to try.
    private struct Progress {
        let action: String
        var attempts = 0
        var isLost = false
        var isClockSet = false
        var areCredentialsRenewed = false
        var lastCost: Int?
        var signedAs: AWSCredentials?
        var signedAt = LeaseInstant.distantPast
    }

    private func attempt(
        _ action: String,
        _ body: [UInt8],
        _ deadline: Duration,
        _ signing: Signing,
        _ progress: inout Progress
    ) async throws(AWSError) -> AWSReply {
        let turn = rates.withLock { rates in
            rates[action, default: AdaptiveRate()].reserve(at: tools.time.read().continuous, before: deadline)
        }
        try await wait(until: turn, deadline, progress)
        progress.attempts += 1
        var request = AWSHTTPRequest(
            method: "POST",
            scheme: endpoint.scheme,
            host: endpoint.host,
            path: endpoint.path,
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: body
        )
        progress.signedAs = nil
        let own = try await ownCredentials(signing)
        progress.signedAs = own
        let sent = tools.time.read()
        progress.signedAt = tools.clock.now(sent)
        if let own, own.hasSpaces {
            throw AWSError(
                .badCredentials,
                "the own key, its id or its token has a space or a line break in it: take it out where it comes from",
                action: progress.action
            )
        }
        if let own { try signer.sign(&request, with: own, at: progress.signedAt) }
        let left = deadline - sent.continuous
        guard left > .zero else { throw outOfTime(progress) }
        let response: AWSHTTPResponse
        do {
            response = try await tools.exchange(request, timeout: min(left, tools.retry.attemptTimeout))
        } catch {
            if error.mayHaveArrived { progress.isLost = true }
            throw AWSError(
                error.mayHaveArrived ? .noAnswer : .unreachable,
                error.message,
                action: progress.action,
                mayHaveBeenDone: error.mayHaveArrived
            )
        }
        let received = tools.time.read()
        let answer = AWSReply.read(response, to: action, of: service.name)
        let isGenuine = if case .failure(let error) = answer { error.requestID != nil } else { true }
        if isGenuine, let date = response.header("date").flatMap({ LeaseInstant(httpDate: $0) }) {
            tools.clock.observe(date, sent: sent, received: received)
        }
        let isRefused = if case .failure(let error) = answer { error.code.isThrottling } else { false }
        rates.withLock { rates in
            if isRefused {
                rates[action]?.refused(at: received.continuous)
            } else {
                rates[action]?.answered(at: received.continuous)
            }
        }
        if case .failure(let error) = answer, error.mayHaveBeenDone { progress.isLost = true }
        return try answer.get()
    }

    private func ownCredentials(_ signing: Signing) async throws(AWSError) -> AWSCredentials? {
        switch signing {
        case .none: return nil
        case .with(let credentials): return credentials
        case .own:
            guard let credentials else { throw AWSError(.noCredentials, "this client was made without credentials") }
            do { return try await credentials.credentials() } catch { throw error.asLogin }
        }
    }

    /// Waits for the next try, or throws when there is none.
    private func prepareRetry(
        after error: AWSError,
        _ deadline: Duration,
        _ isRepeatable: Bool,
        _ progress: inout Progress
    ) async throws(AWSError) {
        let failure = error.afterLostTry(progress.isLost)
        // Time that is over does not come back, and a retry would be taken from others.
        if Task.isCancelled || error.code == .outOfTime { throw failure }
        // The answer's date has set the clock by now; once is enough, a second refusal is about something else.
        if error.code.isAboutTheClock, !progress.isClockSet {
            let now = tools.clock.now(tools.time.read())
            let moved = progress.signedAt.duration(to: now)
            if moved > .seconds(60) || moved < .seconds(-60) {
                progress.isClockSet = true
                return
            }
        }
        if let own = progress.signedAs, !progress.areCredentialsRenewed, await areNewer(than: own, after: error) {
            progress.areCredentialsRenewed = true
            return
        }
        let isWorthIt = error.isRetryable && (isRepeatable || !error.mayHaveBeenDone)
        guard isWorthIt, progress.attempts < tools.retry.attempts else { throw failure }
        guard let cost = budget.withLock({ $0.take(isTimeout: error.code == .noAnswer) }) else { throw failure }
        progress.lastCost = cost
        let wait = tools.retry.wait(before: progress.attempts, jitter: tools.entropy.unit())
        let until = tools.time.read().continuous + max(wait, error.retryAfter ?? .zero)
        // A wait that ends behind the deadline helps nobody: the error is more telling.
        guard until < deadline else { throw failure }
        do { try await tools.time.sleep(until: until) } catch { throw failure }
    }

    /// Whether there are, or may be, other credentials than those that were refused.
    private func areNewer(than own: AWSCredentials, after error: AWSError) async -> Bool {
        if error.code.isOutdated, let cached = credentials as? any RefreshableCredentials {
            cached.forget(own)
            return true
        }
        if error.code.isUnknownKey, let rotated = credentials as? any RotatedCredentials {
            return await rotated.isReplaced(own)
        }
        return false
    }

    private func wait(until turn: Duration, _ deadline: Duration, _ progress: Progress) async throws(AWSError) {
        let now = tools.time.read().continuous
        guard now < deadline else { throw outOfTime(progress) }
        guard turn < deadline else {
            throw AWSError(
                .outOfTime,
                "AWS has refused the action as too much, and its next turn comes after the call's time",
                action: progress.action,
                mayHaveBeenDone: progress.isLost
            )
        }
        if turn <= now { return }
        do { try await tools.time.sleep(until: turn) } catch { throw outOfTime(progress) }
    }

    private func outOfTime(_ progress: Progress) -> AWSError {
        AWSError(
            .outOfTime,
            "the call's time was over after \(progress.attempts) tries",
            action: progress.action,
            mayHaveBeenDone: progress.isLost
        )
    }
}

extension AWSClient.Tools {
    /// One exchange, which ends by its time even when the transport does not.
    func exchange(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
        let limit = time.read().continuous + timeout
        let result = await withTaskGroup(of: Result<AWSHTTPResponse, AWSTransportError>?.self) {
            [transport, time] group in
            group.addTask {
                do throws(AWSTransportError) {
                    return .success(try await transport.send(request, timeout: timeout))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do { try await time.sleep(until: limit) } catch { return nil }
                return .failure(.noAnswer("no answer within \(timeout / .seconds(1)) s"))
            }
            // The sleeper says nothing when the task was cancelled; the transport then does.
            var first = await group.next() ?? nil
            if first == nil { first = await group.next() ?? nil }
            group.cancelAll()
            return first ?? .failure(.noAnswer("the exchange was cancelled"))
        }
        return try result.get()
    }
}
