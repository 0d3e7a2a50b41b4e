// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension InMemoryBackend {
    /// Sends one request and waits for its answer, until the call's deadline and no longer.
    func exchange(
        _ operation: TargetOperation,
        _ handle: InMemoryHandle?,
        _ body: TargetRequest.Body,
        _ call: BackendCall
    ) async throws -> (reply: TargetReply, arrivedAt: LeaseInstant) {
        guard call.timeout > .zero else {
            throw BackendFailure(.transient, code: "deadline", "the call's deadline was over before it began")
        }
        let deadline = time.read().continuous + call.timeout
        try await crash(CrashStep(operation, .before))
        let request = TargetRequest(
            operation: operation,
            name: handle?.name ?? "",
            mark: call.mark,
            body: body,
            link: link,
            expected: operation == .fingerprint ? nil : call.target
        )
        let ticket = target.accept(request)
        try await crash(CrashStep(operation, .sent))
        guard let reply = await answer(to: ticket, until: deadline) else {
            throw BackendFailure(
                .ambiguous,
                scope: ticket.scope,
                code: "timeout",
                "no answer to \(operation.rawValue) within \(call.timeout)"
            )
        }
        try await crash(CrashStep(operation, .answered))
        if case .failed(let failure) = reply { throw failure }
        return (reply, ticket.arrivedAt)
    }

    /// The answer, or nil when there was none by the deadline.
    private func answer(to ticket: TargetTicket, until deadline: Duration) async -> TargetReply? {
        switch ticket.answer {
        case .now(let reply):
            return reply
        case _ where abilities.callStyle == .immediate:
            return nil
        case .after(let delay):
            let due = time.read().continuous + delay
            // A cancelled wait is over at once; the request stays where it is, and so does what became of it.
            do { try await time.sleep(until: min(due, deadline)) } catch { return nil }
            return due <= deadline ? target.takeAnswer(ticket.id) : nil
        case .never:
            try? await time.sleep(until: deadline)
            return nil
        case .onRelease:
            return await withTaskGroup(of: TargetReply?.self) { [time, target] group in
                group.addTask { await target.waitForRelease(ticket.id) }
                group.addTask {
                    try? await time.sleep(until: deadline)
                    return nil
                }
                let first = await group.next() ?? nil
                group.cancelAll()
                return first
            }
        }
    }
}
