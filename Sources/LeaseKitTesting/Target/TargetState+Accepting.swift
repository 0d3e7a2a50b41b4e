// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension TargetState {
    /// Takes a request in: decides what goes wrong with it, and does it now or puts it aside.
    mutating func accept(_ request: TargetRequest, _ now: TimeReading) -> TargetTicket {
        settle(now)
        arrivals[request.operation, default: 0] += 1
        let id = draw()
        func ticket(_ answer: TargetTicket.Answer, scope: BackendFailure.Scope = .lease) -> TargetTicket {
            TargetTicket(id: id, answer: answer, arrivedAt: now.wall, scope: scope)
        }
        switch partitions[request.link] ?? partitions[""] {
        case .refusing?:
            let failure = BackendFailure(
                .transient,
                scope: .target,
                code: "unreachable",
                "the target refuses connections"
            )
            return ticket(.now(.failed(failure)))
        case .silent?:
            return ticket(.never, scope: .target)
        case .losingReplies?:
            note(request, .arrived, at: now.wall)
            if let refusal = refusal(of: request) {
                note(request, .refused(refusal.code), at: now.wall)
            } else {
                _ = apply(request, to: fingerprint, arrivedAt: now.wall, now)
            }
            return ticket(.never, scope: .target)
        case nil:
            break
        }
        note(request, .arrived, at: now.wall)
        if let refusal = refusal(of: request) {
            note(request, .refused(refusal.code), at: now.wall)
            return ticket(.now(.failed(refusal)))
        }
        return ticket(plan(request, id: id, now))
    }

    private func refusal(of request: TargetRequest) -> BackendFailure? {
        if isLoginBroken {
            return BackendFailure(.denied, scope: .target, code: "login", "the target does not accept the login")
        }
        if let expected = request.expected, expected != fingerprint { return .wrongTarget(found: fingerprint) }
        return nil
    }

    /// Lets the next fault of the script, or chance, have its way with a request.
    private mutating func plan(_ request: TargetRequest, id: UInt64, _ now: TimeReading) -> TargetTicket.Answer {
        var late = InFlight(id: id, request: request, arrivedAt: now.wall, table: fingerprint)
        func done(_ state: inout TargetState) -> TargetReply {
            state.apply(request, to: state.fingerprint, arrivedAt: now.wall, now)
        }
        switch nextFault(request.operation).value {
        case .none:
            return .now(done(&self))
        case .failBefore(let failure):
            note(request, .refused(failure.kind.description), at: now.wall)
            return .now(
                .failed(
                    BackendFailure(
                        failure.kind,
                        scope: failure.scope,
                        "the target refused the request, as the test asked",
                        retryAfter: failure.retryAfter
                    )
                )
            )
        case .failAfter:
            _ = done(&self)
            return .now(.failed(BackendFailure(.ambiguous, "the connection broke after the request was sent")))
        case .hang:
            late.isHanging = true
            inFlight.append(late)
            return .onRelease
        case .lose:
            return .never
        case .loseReply:
            _ = done(&self)
            return .never
        case .delay(let delay):
            late.due = now.continuous + delay
            late.isAnswered = true
            inFlight.append(late)
            return .after(delay)
        case .slowReply(let delay):
            answers[id] = done(&self)
            return .after(delay)
        case .late(let delay):
            late.due = now.continuous + delay
            inFlight.append(late)
            return .never
        case .lateAfterRevoke(let delay):
            late.afterRevoke = delay
            inFlight.append(late)
            return .never
        case .duplicate(let delay):
            let reply = done(&self)
            late.due = now.continuous + delay
            late.isDuplicate = true
            inFlight.append(late)
            return .now(reply)
        }
    }

    private mutating func nextFault(_ operation: TargetOperation) -> TargetFault {
        if var script = scripts[operation], !script.isEmpty {
            let fault = script.removeFirst()
            scripts[operation] = script
            return fault
        }
        return mix.draw(operation, &generator)
    }
}
