// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Ends many leases of a backend that never waits, without a task for each.
    func endInPlace(_ claimed: [ClaimedLease], at mount: MountRuntime) async {
        var writing: [(EndingJudge.Verdict, LeaseRecord)] = []
        for lease in claimed {
            let isSimple = !lease.hasChildren || lease.record.order != nil
            guard isSimple, let verdict = await verdictInPlace(lease.record, at: mount) else {
                if mount.gate.withLock({ $0.enter(.revocation, at: clock.now) }) == nil {
                    await end(lease, at: mount, from: clock.moment())
                } else if let claim = lease.record.claim {
                    writing.append((.init(update: .release(claim, due: clock.now), event: nil), lease.record))
                }
                continue
            }
            writing.append((verdict, lease.record))
        }
        await write(writing)
    }

    /// One attempt at a backend that never waits; nil when the lease needs the longer way.
    private func verdictInPlace(_ record: LeaseRecord, at mount: MountRuntime) async -> EndingJudge.Verdict? {
        guard mount.abilities.leaseKind == .credential, mount.abilities.isRevocable, record.state != .ending else {
            return nil
        }
        let moment = clock.moment()
        let now = moment.now
        if mount.isCalling(about: record.id, at: moment.continuous) { return nil }
        guard mount.gate.withLock({ $0.enter(.revocation, at: now) }) == nil else { return nil }
        defer { mount.leave(.revocation) }
        let call = call(for: record, at: mount, now: now, timeout: mount.settings.revokeTimeout)
        let wasBeingIssued = isBeingIssued(record, at: mount)
        let result: Result<RevocationOutcome, BackendFailure>
        do {
            result = .success(try await mount.backend.revoke(record.handle, call))
            noteSuccess(at: mount)
        } catch {
            let failure = BackendFailure(reading: error, during: .revoke)
            note(failure, at: mount)
            result = .failure(failure)
        }
        let weighed = ledger.isExclusive ? result : await weigh(result, from: call.target, of: mount)
        return verdict(
            weighed,
            on: record,
            at: mount,
            clock.now,
            wasBeingIssued: wasBeingIssued,
            askedAt: now
        )
    }

    /// Ends a batch in one backend call.
    ///
    /// The caller has taken one place for it.
    func endBatch(_ claimed: [ClaimedLease], at mount: MountRuntime) async {
        let moment = clock.moment()
        let timeout = mount.settings.revokeTimeout
        let items = claimed.map { lease in
            ErasedBatchItem(
                handle: lease.record.handle,
                call: call(for: lease.record, at: mount, now: moment.now, timeout: timeout)
            )
        }
        let backend = mount.backend
        let wereBeingIssued = claimed.map { isBeingIssued($0.record, at: mount) }
        var answers: [Result<RevocationOutcome, any Error>]
        do {
            let deadline = moment.continuous + timeout + Self.grace
            answers = try await callBackend(mount, .revocation, until: deadline) {
                await mount.calling(about: items.map(\.call.id), until: deadline) { await backend.revoke(items) }
            }
        } catch {
            answers = items.map { _ in .failure(error) }
        }
        var writing: [(EndingJudge.Verdict, LeaseRecord)] = []
        for (place, lease) in claimed.enumerated() {
            let missing = BackendFailure(.ambiguous, "the batch has no answer for this credential")
            let answer = place < answers.count ? answers[place] : .failure(missing)
            let result = answer.mapError { BackendFailure(reading: $0, during: .revoke) }
            switch result {
            case .success: noteSuccess(at: mount)
            case .failure(let failure): note(failure, at: mount)
            }
            let weighed = await weigh(result, from: items[place].call.target, of: mount)
            let verdict = verdict(
                weighed,
                on: lease.record,
                at: mount,
                clock.now,
                wasBeingIssued: wereBeingIssued[place],
                askedAt: moment.now
            )
            writing.append((verdict, lease.record))
        }
        await write(writing)
    }
}
