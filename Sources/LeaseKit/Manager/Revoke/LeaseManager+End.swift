// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Makes one attempt to end a claimed lease, and writes down what became of it.
    ///
    /// The caller has taken a place for a revocation at the mount's gate. Answers how the lease ended, if it did.
    ///
    /// - Parameter moment: Now.
    @discardableResult
    func end(_ claimed: ClaimedLease, at mount: MountRuntime, from moment: Moment) async -> LeaseOutcome? {
        await endHere(claimed, at: mount, from: moment)
    }

    /// The same, put where it is used; see ``demand(at:from:until:_:)``.
    @inline(__always)
    func endHere(_ claimed: ClaimedLease, at mount: MountRuntime, from moment: Moment) async -> LeaseOutcome? {
        let record = claimed.record
        if let cascade = cascade(claimed) {
            mount.leave(.revocation)
            await endTree(record, cascade)
            return nil
        }
        if let settled = withoutCall(record, at: mount, moment) {
            mount.leave(.revocation)
            return await write(settled, record, at: moment.now)
        }
        let wasBeingIssued = isBeingIssued(record, at: mount)
        let result = await attempt(record, at: mount, moment)
        let now = clock.now
        let verdict = verdict(
            result,
            on: record,
            at: mount,
            now,
            wasBeingIssued: wasBeingIssued,
            askedAt: moment.now
        )
        return await write(verdict, record, at: now)
    }

    /// A lease that time ended while others hang on it: they are ended with it, children first.
    private func cascade(_ claimed: ClaimedLease) -> RevocationOrder? {
        let record = claimed.record
        guard claimed.hasChildren, record.order == nil, record.state != .settling else { return nil }
        return RevocationOrder(
            id: RevocationOrderID(rawValue: entropy.next() | 1),
            selection: .tree(record.id),
            cause: record.cause ?? LeaseCause(.expired),
            urgency: record.urgency,
            patience: configuration.patience,
            placedAt: clock.now
        )
    }

    @inline(never)
    private func endTree(_ record: LeaseRecord, _ order: RevocationOrder) async {
        let now = clock.now
        guard let claim = record.claim else { return }
        // Its turn comes when its last child has left, or when nothing holds it back any more. Given back first: a child that
        // leaves while its parent is claimed does not hurry it along.
        let release = LeaseUpdate.release(claim, due: now + min(configuration.patience, Patience.firstLook))
        _ = try? await ledger.update(record.id, release, ledger.context(order.cause))
        if let placement = try? await place(order, claimUntil: nil, cause: order.cause) {
            orders.follow(placement.order)
            publish(
                LeaseEvent(
                    .orderPlaced,
                    at: now,
                    lease: record.id,
                    path: record.path,
                    cause: order.cause,
                    order: order.id,
                    note: "everything below it is ended first"
                )
            )
        }
        alarm.ring()
    }

    /// What can be decided without asking the target; nil when it has to be asked.
    private func withoutCall(
        _ record: LeaseRecord,
        at mount: MountRuntime,
        _ moment: Moment
    ) -> EndingJudge.Verdict? {
        guard let claim = record.claim else { return nil }
        if mount.isCalling(about: record.id, at: moment.continuous) {
            // A renewal has not returned yet: soon after, or after its deadline, it is this one's turn.
            return .init(update: .release(claim, due: moment.now + .milliseconds(500)), event: nil)
        }
        if mount.abilities.leaseKind != .credential {
            return .init(update: .remove(claim, .revoked), event: .revoked)
        }
        let now = moment.now
        // The record's end is what was promised, and what the record stands for. A slack that the target adds behind it is
        // the target's, for clocks that are apart: nothing is remembered for it.
        let isOver = record.expiresAt <= now
        if record.state == .ending && isOver { return .init(update: .remove(claim, .ended), event: .revoked) }
        guard !mount.abilities.isRevocable && record.state != .settling else { return nil }
        if isOver { return .init(update: .remove(claim, .ended), event: .revoked) }
        return .init(update: .end(claim, until: record.expiresAt), event: .ending)
    }

    /// How much longer than its deadline a backend is waited for, so that its own word on why it took so long is heard: a
    /// target that is silent is not the lease's fault.
    static var grace: Duration { .seconds(1) }

    /// Asks the target to end it; answers what that is worth.
    @inline(__always)
    private func attempt(
        _ record: LeaseRecord,
        at mount: MountRuntime,
        _ moment: Moment
    ) async -> Result<RevocationOutcome, BackendFailure> {
        let call = call(for: record, at: mount, now: moment.now, timeout: mount.settings.revokeTimeout)
        let result: Result<RevocationOutcome, BackendFailure>
        do {
            let outcome: RevocationOutcome
            if mount.abilities.callStyle == .immediate {
                defer { mount.leave(.revocation) }
                outcome = try await mount.backend.revoke(record.handle, call)
            } else {
                outcome = try await revokeAndWait(record, call, at: mount, moment)
            }
            noteSuccess(at: mount)
            result = .success(outcome)
        } catch {
            let failure = BackendFailure(reading: error, during: .revoke)
            note(failure, at: mount)
            result = .failure(failure)
        }
        return ledger.isExclusive ? result : await weigh(result, from: call.target, of: mount)
    }

    /// Calls a backend that takes its time: under `run()`.
    @inline(never)
    private func revokeAndWait(
        _ record: LeaseRecord,
        _ call: BackendCall,
        at mount: MountRuntime,
        _ moment: Moment
    ) async throws -> RevocationOutcome {
        let deadline = moment.continuous + mount.settings.revokeTimeout + Self.grace
        let backend = mount.backend
        return try await callBackend(mount, .revocation, until: deadline) {
            try await mount.calling(about: [record.id], until: deadline) {
                try await backend.revoke(record.handle, call)
            }
        }
    }

    /// Whether the call that issues it has not returned yet.
    func isBeingIssued(_ record: LeaseRecord, at mount: MountRuntime) -> Bool {
        record.state == .settling && mount.issuing.withLock { $0[record.id] != nil }
    }

    /// What becomes of a lease by what its target answered.
    ///
    /// - Parameter wasBeingIssued: Whether it was being issued when the target was asked: an issue that returns between the
    ///   question and its answer makes the answer worth nothing.
    func verdict(
        _ result: Result<RevocationOutcome, BackendFailure>,
        on record: LeaseRecord,
        at mount: MountRuntime,
        _ now: LeaseInstant,
        wasBeingIssued: Bool,
        askedAt: LeaseInstant
    ) -> EndingJudge.Verdict {
        let hasFailed = if case .failure = result { true } else { false }
        let judge = EndingJudge(
            record: record,
            settleTime: mount.abilities.settleTime,
            isBeingIssued: wasBeingIssued || isBeingIssued(record, at: mount),
            retry: mount.settings.retry,
            now: now,
            askedAt: askedAt,
            // Only the next try after a failure is left to chance.
            jitter: hasFailed ? entropy.unit() : 0
        )
        return judge.verdict(result)
    }
}
