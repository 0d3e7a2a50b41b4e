// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitAWS

/// IAM and STS in this process, on a clock of their own, which do what a real service does at its worst.
final class FakeAWS: AWSTransport {
    /// What goes wrong with one request.
    enum Fault: Sendable {
        case answer(AWSHTTPResponse)
        /// Never arrives.
        case notSent
        /// Is lost on the way, and nobody knows.
        case lost
        /// Is done, and the answer is lost.
        case doneAndLost
        /// Is done, and the answer is a failure of the service.
        case doneAndFailed
    }

    private struct State: Sendable {
        var account = FakeAccount()
        var faults: [String: [Fault]] = [:]
        var calls: [String] = []
        var isSilent = false
    }

    /// A clock apart from that of the client's machine.
    let time: any LeaseTime
    let offset: Duration
    /// How long a new user or key stays unknown to other calls.
    let lag: Duration
    let pageSize: Int
    private let state = Locked(State())

    init(_ time: any LeaseTime, offset: Duration = .zero, lag: Duration = .zero, pageSize: Int = 100) {
        self.time = time
        self.offset = offset
        self.lag = lag
        self.pageSize = pageSize
    }

    var now: LeaseInstant { time.read().wall + offset }
    var users: [String: FakeAccount.User] { state.withLock { $0.account.users } }
    /// The actions so far, in the order of their coming.
    var calls: [String] { state.withLock { $0.calls } }

    func forgetCalls() { state.withLock { $0.calls = [] } }
    @discardableResult
    func change<Result: Sendable>(_ body: (inout FakeAccount) -> Result) -> Result {
        state.withLock { body(&$0.account) }
    }
    func script(_ action: String, _ faults: Fault...) { state.withLock { $0.faults[action, default: []] += faults } }
    func beSilent(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

    /// Whether a key opens anything: it is there, and its user is not denied everything.
    func isUsable(_ key: String) -> Bool {
        let now = now
        return state.withLock { state in
            if let session = state.account.sessions[key] {
                let policies = session.role.flatMap { state.account.roles[$0] } ?? [:]
                return now < session.end && !policies.values.contains { session.isDenied(by: $0) }
            }
            guard let user = state.account.users.values.first(where: { $0.keys[key] != nil }) else { return false }
            return Self.end(of: user).map { now <= $0 } ?? true
        }
    }

    /// When a user is denied everything.
    static func end(of user: FakeAccount.User) -> LeaseInstant? {
        guard let text = user.inline["leasekit-end"], let match = text.firstMatch(of: /"aws:CurrentTime":"([^"]+)"/)
        else {
            return nil
        }
        return LeaseInstant(text: String(match.1))
    }

    func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
        let (action, now) = (request.action, now)
        let (fault, isSilent) = state.withLock { state -> (Fault?, Bool) in
            state.calls.append(action)
            if state.isSilent { return (nil, true) }
            return (state.faults[action]?.isEmpty == false ? state.faults[action]?.removeFirst() : nil, false)
        }
        if isSilent {
            do { try await time.sleep(until: time.read().continuous + .seconds(86_400)) } catch {}
            throw .noAnswer("silence")
        }
        switch fault {
        case .notSent: throw .notSent("no connection")
        case .lost: throw .noAnswer("lost")
        case .answer(let response): return response
        case .doneAndLost:
            _ = answer(request, now)
            throw .noAnswer("lost")
        case .doneAndFailed:
            _ = answer(request, now)
            return .failure(500, "ServiceFailure", date: now)
        case nil: return answer(request, now)
        }
    }

    private func answer(_ request: AWSHTTPRequest, _ now: LeaseInstant) -> AWSHTTPResponse {
        // Signed by the right time, as the service wants it.
        if request.action != "AssumeRoleWithWebIdentity" {
            let signed = request.header("X-Amz-Date").flatMap { LeaseInstant(compact: $0) } ?? .distantPast
            let skew = signed.duration(to: now)
            if skew > .seconds(300) || skew < .seconds(-300) {
                return .failure(403, "SignatureDoesNotMatch", "Signature expired", date: now)
            }
        }
        return state.withLock { state in
            // Moved, not shared: a large account would be copied at each change.
            let account = state.account
            state.account = FakeAccount()
            var service = FakeService(account: account, now: now, lag: lag, pageSize: pageSize)
            let answer = service.answer(request.action, request.form)
            state.account = service.account
            switch answer {
            case .success(let inner):
                let action = request.action
                return .xml(
                    200,
                    "<\(action)Response xmlns=\"urn:x\"><\(action)Result>\(inner)</\(action)Result>"
                        + "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></\(action)Response>",
                    date: now
                )
            case .failure(let failure): return .failure(failure.status, failure.code, failure.message, date: now)
            }
        }
    }
}

extension LeaseInstant {
    init?(text: String) {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        self.init(secondsSinceEpoch: Int64(date.timeIntervalSince1970.rounded()))
    }

    /// Reads `20261121T080000Z`.
    init?(compact text: String) {
        guard text.utf8.count == 16 else { return nil }
        let t = Array(text)
        let s = { (range: Range<Int>) in String(t[range]) }
        self.init(text: "\(s(0..<4))-\(s(4..<6))-\(s(6..<8))T\(s(9..<11)):\(s(11..<13)):\(s(13..<15))Z")
    }
}
