// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Extends a lease: the same credential, a later end.
    ///
    /// One renewal of a lease at a time. When lengthening, the target moves first and the record after it, so that the
    /// record never promises more than the target keeps; when shortening, the other way round. Ends are absolute: repeating a
    /// renewal whose answer was lost is harmless.
    ///
    /// - Throws: ``LeaseError``; a failed renewal leaves the lease as it was and never makes a new credential.
    public func renew(_ id: LeaseID, _ options: RenewOptions = RenewOptions()) async throws -> RenewalOutcome {
        try await renew(id, options, within: nil)
    }

    /// Extends a lease, of one mount only if that is asked for: what a mount's holder renews is the mount's own.
    ///
    /// Put where it is used, with the steps that every renewal takes; see ``demand(at:from:until:_:)``. What is seldom needed
    /// has functions of its own.
    @inline(__always)
    func renew(_ id: LeaseID, _ options: RenewOptions, within only: MountRuntime?) async throws -> RenewalOutcome {
        try Task.checkCancellation()
        try lifecycle.beginDemand()
        defer { if lifecycle.endDemand() { alarm.ring() } }
        if !ledger.isOpen { _ = try await opened() }
        guard let record = try await ledger.find(id), only == nil || only?.id == record.mount else {
            throw LeaseError.notFound(id)
        }
        guard let mount = mounts[record.mount] else {
            throw LeaseError(
                .unknownMount,
                "nothing is mounted at the place of lease \(record.name); mount its backend again to renew it",
                lease: id
            )
        }
        if mount.abilities.callStyle == .suspending {
            try await lifecycle.requireRunning(within: configuration.startTimeout, clock.time)
        }
        let moment = clock.moment()
        let deadline = moment.continuous + mount.settings.renewTimeout
        guard let turn = mount.renewals.enter(id) else {
            defer { mount.renewals.pass(id) }
            return try await renewNow(record, options, at: mount, from: moment, until: deadline)
        }
        return try await renewAfterOthers(id, options, at: mount, turn, until: deadline)
    }

    /// Waits for the turn first.
    @inline(never)
    private func renewAfterOthers(
        _ id: LeaseID,
        _ options: RenewOptions,
        at mount: MountRuntime,
        _ turn: Reply<Void>,
        until deadline: Duration
    ) async throws -> RenewalOutcome {
        try await mount.renewals.wait(for: turn, id, until: deadline, clock.time)
        defer { mount.renewals.pass(id) }
        // Read again, now that it is our turn: the renewal before has changed the record, and what was planned on the
        // old one would move the target back behind it.
        guard let record = try await ledger.find(id) else { throw LeaseError.notFound(id) }
        return try await renewNow(record, options, at: mount, from: clock.moment(), until: deadline)
    }

    @inline(__always)
    private func renewNow(
        _ seen: consuming LeaseRecord,
        _ options: RenewOptions,
        at mount: MountRuntime,
        from begin: Moment,
        until deadline: Duration
    ) async throws -> RenewalOutcome {
        var record = seen
        let id = record.id
        // A record that changes between reading and writing it is read again; the rounds are bounded by the deadline, too.
        for round in 0..<4 {
            let moment = round == 0 ? begin : clock.moment()
            let plan = try plan(record, options, at: mount, moment, parentEnd: try await parentEnd(of: record))
            let outcome: LeaseChangeOutcome
            var window: RenewalWindow?
            if plan.expiresAt < record.expiresAt {
                outcome = try await shorten(record, plan, at: mount, until: deadline, &window)
            } else {
                // Also when the end stays where it is: what is answered is counted from our clock, which may have lagged since
                // the record was written, and only the target knows what it grants from now on.
                outcome = try await lengthen(record, plan, at: mount, until: deadline, &window)
            }
            switch outcome {
            case .applied(let renewed):
                alarm.ring(ifLaterThan: moment.continuous(at: renewed.due))
                publish(LeaseEvent(.renewed, renewed, at: moment.now))
                return plan.outcome(renewed.expiresAt, window: window)
            case .refused(.generationChanged), .refused(.beyondParent):
                guard let fresh = try await ledger.find(id) else { throw LeaseError.notFound(id) }
                // The target holds an end that was planned on the old record, so it is moved once more.
                record = fresh
            case .refused(let refusal):
                throw LeaseError(refusal, using: record, to: "renewed", now: moment.now)
            }
        }
        throw LeaseError(
            .storeRefused,
            "lease \(record.name) cannot be renewed: it keeps changing at the same time; try again",
            lease: id
        )
    }

    /// When the parent that binds a lease ends, if there is one.
    @inline(__always)
    private func parentEnd(of record: LeaseRecord) async throws -> LeaseInstant? {
        guard record.bindsToParent, let parent = record.parent else { return nil }
        return try await ledger.find(parent)?.expiresAt
    }

    /// What a renewal shall do, with the limits as they are now.
    private func plan(
        _ record: LeaseRecord,
        _ options: RenewOptions,
        at mount: MountRuntime,
        _ moment: Moment,
        parentEnd: LeaseInstant?
    ) throws -> RenewalPlan {
        if let refusal = record.refusalUnlessActive(UpdateFacts(), now: moment.now) {
            throw LeaseError(refusal, using: record, to: "renewed", now: moment.now)
        }
        guard record.isRenewable else {
            throw LeaseError(
                .notRenewable,
                "lease \(record.name) cannot be renewed: backend \(mount.backend.kind) cannot extend a credential; issue a "
                    + "new one before \(record.expiresAt)",
                lease: record.id
            )
        }
        let limits = try askBackend { try mount.backend.limits(at: mount.rolePath(of: record.path)) }
        let terms: TTLDecision
        do {
            terms = try decide(
                .init(
                    now: moment.now,
                    issuedAt: record.issuedAt,
                    increment: options.increment,
                    explicitMaximum: record.explicitMaximum,
                    period: record.period,
                    parentEnd: parentEnd
                ),
                role: limits,
                at: mount
            )
        } catch let error as LeaseError where error.code == .pastMaximum {
            throw LeaseError(pastMaximum: record, limits, mount, configuration, now: moment.now)
        }
        let end = options.mayShorten ? terms.expiresAt : max(terms.expiresAt, record.expiresAt)
        return RenewalPlan(expiresAt: end, terms: terms, options: options, moment: moment)
    }

    /// The target first, then the record.
    @inline(__always)
    private func lengthen(
        _ record: LeaseRecord,
        _ plan: RenewalPlan,
        at mount: MountRuntime,
        until deadline: Duration,
        _ window: inout RenewalWindow?
    ) async throws -> LeaseChangeOutcome {
        var handle = record.handle
        if record.needsConfirmation {
            // The last renewal's answer was lost: what the record says is made true again before anything new is promised.
            handle = try await confirm(record, plan, at: mount, until: deadline)
        }
        let moment = record.needsConfirmation ? clock.moment() : plan.moment
        let end = plan.expiresAt
        let moved = try await move(record, handle, to: end, plan, at: mount, from: moment, until: deadline)
        window = moved.window
        var change = LeaseExtension(
            expiresAt: moved.expiresAt,
            handle: moved.handle == record.handle ? nil : moved.handle,
            generation: record.generation,
            // Only when the target itself granted less than it had before: the record never promises more than it keeps.
            mayShorten: moved.expiresAt < record.expiresAt
        )
        change.isCutByTarget = change.mayShorten
        return try await ledger.updateSurely(record.id, .extend(change), ledger.context(plan.options.cause))
    }

    /// Makes true again what the record says; answers the handle with what was learnt on the way.
    @inline(never)
    private func confirm(
        _ record: LeaseRecord,
        _ plan: RenewalPlan,
        at mount: MountRuntime,
        until deadline: Duration
    ) async throws -> [UInt8] {
        let end = record.expiresAt
        let confirmed = try await move(
            record,
            record.handle,
            to: end,
            plan,
            at: mount,
            from: plan.moment,
            until: deadline
        )
        return confirmed.handle
    }

    /// The record first, then the target: it may keep the credential longer than promised, never shorter.
    @inline(never)
    private func shorten(
        _ record: LeaseRecord,
        _ plan: RenewalPlan,
        at mount: MountRuntime,
        until deadline: Duration,
        _ window: inout RenewalWindow?
    ) async throws -> LeaseChangeOutcome {
        var change = LeaseExtension(
            expiresAt: plan.expiresAt,
            generation: record.generation,
            mayShorten: true,
            needsConfirmation: true
        )
        let outcome = try await ledger.updateSurely(record.id, .extend(change), ledger.context(plan.options.cause))
        guard let shortened = outcome.record else { return outcome }
        alarm.ring(ifLaterThan: plan.moment.continuous(at: shortened.due))
        // Its holder hears of it now: the end stands, whatever becomes of the call to the target.
        events.watches.notice(LeaseEvent(.renewed, shortened, at: plan.moment.now))
        let moved = try await move(
            shortened,
            shortened.handle,
            to: plan.expiresAt,
            plan,
            at: mount,
            from: clock.moment(),
            until: deadline
        )
        window = moved.window
        change.expiresAt = moved.expiresAt
        change.handle = moved.handle == record.handle ? nil : moved.handle
        change.generation = shortened.generation
        change.needsConfirmation = false
        return try await ledger.updateSurely(record.id, .extend(change), ledger.context(plan.options.cause))
    }

    /// Moves the credential's end at the target.
    @inline(__always)
    private func move(
        _ record: LeaseRecord,
        _ handle: [UInt8],
        to end: LeaseInstant,
        _ plan: RenewalPlan,
        at mount: MountRuntime,
        from moment: Moment,
        until deadline: Duration
    ) async throws -> (expiresAt: LeaseInstant, handle: [UInt8], window: RenewalWindow?) {
        let answer = try await demand(at: mount, from: moment, until: deadline) { place in
            guard !mount.isCalling(about: record.id, at: clock.moment().continuous) else {
                // An earlier renewal whose caller went away, or a revocation: calls about one lease never overlap.
                throw LeaseError(.deadlineExceeded, "another call for the same lease has not returned yet; try again")
            }
            let call = call(
                for: record,
                at: mount,
                now: moment.now,
                timeout: deadline - moment.continuous,
                expiresAt: end,
                cause: plan.options.cause
            )
            return try await ask(call, handle, for: record, plan, at: mount, &place, until: deadline)
        }
        try HandleSize.check(answer.handle, of: mount)
        switch answer.result {
        case .success(let renewed):
            noteSuccess(at: mount)
            guard let reached = renewed.expiresAt else {
                throw LeaseError(
                    .notRenewable,
                    "lease \(record.name) cannot be renewed: \(renewed.refusal ?? "the backend refused")",
                    lease: record.id
                )
            }
            return (min(reached, end), answer.handle, renewed.window)
        case .failure(let failure):
            note(failure, at: mount)
            let learnt = answer.handle == record.handle ? nil : answer.handle
            await noteDoubt(record, learnt, isAmbiguous: failure.kind == .ambiguous, plan)
            if failure.kind == .gone { await endVanished(record) }
            throw LeaseError(failure, doing: plan.what(record), at: mount, lease: record.id)
        }
    }

    private typealias Answer = (result: Result<Renewed, BackendFailure>, handle: [UInt8])

    /// Calls the backend; the handle comes back also when that fails.
    @inline(__always)
    private func ask(
        _ call: BackendCall,
        _ handle: [UInt8],
        for record: LeaseRecord,
        _ plan: RenewalPlan,
        at mount: MountRuntime,
        _ place: inout Place,
        until deadline: Duration
    ) async throws -> Answer {
        guard mount.abilities.callStyle == .immediate else {
            return try await askAndWait(call, handle, for: record, plan, at: mount, &place, until: deadline)
        }
        return await place.callInPlace {
            mount.beginCall(about: record.id, until: deadline)
            defer { mount.endCall(about: record.id) }
            var handle = handle
            do {
                return (.success(try await mount.backend.renew(&handle, call)), handle)
            } catch {
                return (.failure(BackendFailure(reading: error, during: .renew)), handle)
            }
        }
    }

    /// The same for a backend that takes its time: under `run()`.
    @inline(never)
    private func askAndWait(
        _ call: BackendCall,
        _ handle: [UInt8],
        for record: LeaseRecord,
        _ plan: RenewalPlan,
        at mount: MountRuntime,
        _ place: inout Place,
        until deadline: Duration
    ) async throws -> Answer {
        let (backend, id) = (mount.backend, record.id)
        do {
            return try await place.call(until: deadline, about: record) {
                await mount.calling(about: [id], until: deadline) {
                    var handle = handle
                    do {
                        return (.success(try await backend.renew(&handle, call)), handle)
                    } catch {
                        return (.failure(BackendFailure(reading: error, during: .renew)), handle)
                    }
                }
            }
        } catch {
            await noteDoubt(record, nil, isAmbiguous: true, plan)
            if error is CancellationError { throw error }
            let failure = BackendFailure(reading: error, during: .renew)
            throw LeaseError(failure, doing: plan.what(record), at: mount, lease: id)
        }
    }

    /// Keeps what a failed renewal taught, and that the target may hold another end than the record.
    @inline(never)
    private func noteDoubt(_ record: LeaseRecord, _ handle: [UInt8]?, isAmbiguous: Bool, _ plan: RenewalPlan) async {
        publish(LeaseEvent(.renewalFailed, record, at: clock.now))
        guard isAmbiguous || handle != nil else { return }
        let doubt = LeaseUpdate.doubt(handle: handle, isAmbiguous: isAmbiguous)
        _ = try? await ledger.update(record.id, doubt, ledger.context(plan.options.cause))
    }

    /// The credential is not at the target any more: whatever hangs on the lease is ended with it.
    @inline(never)
    private func endVanished(_ record: LeaseRecord) async {
        let options = RevokeOptions(cause: LeaseCause(.credentialGone), wait: .zero)
        _ = try? await revoke(.tree(record.id), options)
    }
}
