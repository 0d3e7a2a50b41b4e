// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension BackendCheck {
    @Sendable func revoking() async {
        guard abilities.isRevocable else { return await leaving() }
        await check(.preparedHandleIsEnough) {
            let made = try await make(makeCall())
            let handle = try readBack(made.prepared)
            let outcome = try await backend.revoke(handle, later(made.call))
            expect(outcome == .revoked, .preparedHandleIsEnough, "the prepared handle ended nothing: \(outcome)")
            let isUsable = try await isUsable(made) ?? false
            expect(!isUsable, .revokedIsUnusable, "the secret still works after its credential was ended")
            await checkGone(.revokeTwiceIsGone, handle, made.call)
            await checkGone(.revokeTwiceIsGone, made.handle, made.call)
        }
        await check(.revokeOfNeverIssuedIsGone) {
            let call = try makeCall()
            await checkGone(.revokeOfNeverIssuedIsGone, try backend.prepare(suite.request, call), call)
        }
    }

    private func checkGone(_ rule: BackendRule, _ handle: Backend.Handle, _ call: BackendCall) async {
        await check(rule) {
            let outcome = try await backend.revoke(handle, later(call))
            expect(Self.isGone(outcome), rule, "answered \(outcome) instead of already gone")
        }
    }

    /// What a backend answers that cannot end anything early.
    private func leaving() async {
        await check(.unrevocableSaysWhenItEnds) {
            let made = try await make(makeCall())
            let outcome = try await backend.revoke(readBack(made.prepared), later(made.call))
            let others: [RevocationOutcome] = [.revoked, .alreadyGone, .provenGone, .notOurs]
            expect(!others.contains(outcome), .unrevocableSaysWhenItEnds, "answered \(outcome) for a live credential")
        }
    }

    @Sendable func foreignMarks() async {
        guard abilities.isRevocable else { return }
        await check(.foreignMarkIsLeftAlone) {
            let made = try await make(makeCall())
            let marks = [
                ("another deployment's mark", LeaseMark(deployment: stranger, lease: made.call.id, epoch: 1)),
                ("another lease's mark", try makeCall().mark),
            ]
            for (name, mark) in marks {
                var call = later(made.call)
                call.mark = mark
                let outcome = try await backend.revoke(made.handle, call)
                expect(outcome == .notOurs, .foreignMarkIsLeftAlone, "a call with \(name) was answered \(outcome)")
                let isUsable = try await isUsable(made) ?? true
                expect(isUsable, .foreignMarkIsLeftAlone, "a call with \(name) ended the credential")
            }
            let outcome = try await backend.revoke(made.handle, later(made.call))
            expect(outcome == .revoked, .foreignMarkIsLeftAlone, "the right mark ended nothing afterwards: \(outcome)")
        }
    }

    @Sendable func renewing() async {
        guard abilities.isRenewable else { return await refusing() }
        await check(.renewMovesTheEnd) {
            var made = try await make(makeCall(expiresIn: suite.leaseLength / 2))
            let call = later(made.call, expiresIn: suite.leaseLength)
            let first = try await backend.renew(&made.handle, call)
            guard let granted = first.expiresAt else {
                breaks(.renewMovesTheEnd, "refused: \(first.refusal ?? "")")
                return
            }
            expect(granted <= call.expiresAt, .renewMovesTheEnd, "granted more than was asked")
            expect(granted > made.call.expiresAt, .renewMovesTheEnd, "the end did not move")
            let end = try await endAtTarget(made)
            if let end {
                expect(end >= granted, .renewMovesTheEnd, "the target ends it before what was granted")
            }
            // The same end is asked for again: absolute, so nothing moves.
            let second = try await backend.renew(&made.handle, call)
            expect(second.expiresAt == granted, .renewIsRepeatable, "the same renewal again granted another end")
            let endNow = try await endAtTarget(made)
            if let end, let endNow {
                let moved = end.duration(to: endNow)
                expect(moved <= suite.grace, .renewIsRepeatable, "the same renewal again moved the end by \(moved)")
            }
            let isUsable = try await isUsable(made) ?? true
            expect(isUsable, .renewIsRepeatable, "the secret does not work after two renewals")
        }
    }

    private func endAtTarget(_ made: Made) async throws -> LeaseInstant? {
        try await suite.endAtTarget?(made.handle)
    }

    private func refusing() async {
        await check(.unrenewableRefuses) {
            var made = try await make(makeCall())
            let answer = try await backend.renew(&made.handle, later(made.call, expiresIn: suite.leaseLength))
            expect(answer.expiresAt == nil, .unrenewableRefuses, "renewed all the same")
        }
    }

    @Sendable func renewingWhatIsGone() async {
        guard abilities.isRenewable, abilities.isRevocable else { return }
        await check(.renewOfGoneIsGone) {
            var made = try await make(makeCall())
            _ = try await backend.revoke(made.handle, later(made.call))
            do {
                let answer = try await backend.renew(&made.handle, later(made.call, expiresIn: suite.leaseLength))
                breaks(.renewOfGoneIsGone, "answered \(answer)")
            } catch let failure as BackendFailure where failure.kind == .gone {
            }
            let isUsable = try await isUsable(made) ?? false
            expect(!isUsable, .renewOfGoneIsGone, "the renewal brought it back")
        }
    }

    /// Every call to a target that does not answer ends by its deadline.
    @Sendable func silence() async {
        guard let hang = suite.hang, let release = suite.release else { return }
        for name in ["issue", "renew", "revoke"] {
            if name == "renew" && !abilities.isRenewable { continue }
            await check(.hungCallEndsByItsDeadline) {
                let made = try await make(makeCall())
                try await hang()
                await time(name, release: release) {
                    var handle = made.handle
                    switch name {
                    case "issue": _ = try await make(makeCall(timeout: suite.hangTimeout))
                    case "renew": _ = try await backend.renew(&handle, later(made.call, timeout: suite.hangTimeout))
                    default: _ = try await backend.revoke(handle, later(made.call, timeout: suite.hangTimeout))
                    }
                }
                try await release()
            }
        }
    }

    /// Runs a call that should fail in time; one that does not is freed by letting the target go on.
    private func time(
        _ name: String,
        release: @escaping @Sendable () async throws -> Void,
        _ body: @escaping @Sendable () async throws -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await body()
                    breaks(.hungCallEndsByItsDeadline, "\(name) claims to have worked")
                } catch {
                    // Failing is what it should do.
                }
            }
            group.addTask {
                let limit = suite.time.read().continuous + suite.hangTimeout + suite.grace
                do { try await suite.time.sleep(until: limit) } catch { return }
                breaks(.hungCallEndsByItsDeadline, "\(name) still waits \(suite.grace) after its deadline")
                try? await release()
            }
            await group.next()
            group.cancelAll()
        }
    }
}
