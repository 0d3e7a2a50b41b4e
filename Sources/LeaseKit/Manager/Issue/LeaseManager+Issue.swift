// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Issues a lease.
    ///
    /// Each step leaves behind enough to end whatever the next one may make.
    ///
    /// 1. The path and the limits of the role as it is now; how long it may run; a place at the mount.
    /// 2. The backend names the credential.
    /// 3. The store writes the lease down as pending.
    /// 4. The backend makes the credential.
    /// 5. The store turns the lease active.
    /// 6. The secret goes to the caller.
    func issue<Request: Sendable, Secret: Sendable>(
        _ request: Request,
        _ options: IssueOptions,
        from backend: any IssuingBackend<Request, Secret>,
        at mount: MountRuntime
    ) async throws -> Lease<Secret> {
        try Task.checkCancellation()
        try lifecycle.beginDemand()
        defer { if lifecycle.endDemand() { alarm.ring() } }
        if mount.abilities.callStyle == .suspending {
            try await lifecycle.requireRunning(within: configuration.startTimeout, clock.time)
        }
        try options.validate()
        guard mounts[mount.id] === mount else {
            throw LeaseError(
                .unknownMount,
                "mount \"\(mount.path)\" was unmounted; mount its backend again and use the new mount"
            )
        }

        let timeout = mount.settings.issueTimeout
        let begin = clock.moment()
        return try await demand(at: mount, from: begin, until: begin.continuous + timeout) { place in
            // Steps 1 to 3, then 4, then 5 and 6.
            let plan = try await writeDown(request, options, from: backend, at: mount, timeout)
            var handle = plan.record.handle
            let issued = try await make(plan, request, as: &handle, from: backend, at: mount, &place)
            return try await activate(plan, issued, handle, at: mount)
        }
    }

    /// Steps 1 to 3: from a request to a pending lease in the store.
    @inline(__always)
    private func writeDown<Request: Sendable, Secret: Sendable>(
        _ request: Request,
        _ options: IssueOptions,
        from backend: any IssuingBackend<Request, Secret>,
        at mount: MountRuntime,
        _ timeout: Duration
    ) async throws -> IssuePlan {
        if !ledger.isOpen { _ = try await opened() }
        let rolePath = try askBackend { try backend.path(for: request) }
        let path = LeasePath.join(mount.path, rolePath)
        try LeasePath.validate(path)
        let role = try askBackend { try backend.roleVersion(at: rolePath) }
        var parentEnd = options.parent == nil ? nil : try await parentEnd(options)

        // A parent that is shortened between reading it and writing the child makes the store refuse; then the decision is
        // taken again with the new bound. More than a few rounds cannot happen by chance.
        for _ in 0..<4 {
            let moment = clock.moment()
            let terms = try decide(
                .init(
                    now: moment.now,
                    increment: options.ttl,
                    explicitMaximum: options.explicitMaximum,
                    period: options.period,
                    parentEnd: parentEnd
                ),
                role: try askBackend { try backend.limits(at: rolePath) },
                at: mount
            )
            let id = LeaseID.random(using: entropy)
            let call = BackendCall(
                id: id,
                path: path,
                rolePath: rolePath,
                mark: mark(of: id),
                now: moment.now,
                expiresAt: terms.expiresAt,
                deadline: moment.now + timeout,
                role: role,
                target: mount.fingerprint,
                cause: options.cause,
                start: start
            )
            let handle = try askBackend { try backend.prepare(request, call) }
            try HandleSize.check(handle, of: mount)
            let insertion = insertion(for: call, handle, options, mount)
            let context = ledger.context(options.cause, at: moment.now)
            let outcome: LeaseChangeOutcome
            do {
                outcome = try await ledger.insert(insertion, context)
            } catch let error as LeaseError where error.code == .storeUnknown {
                // What needs no making would be active, with nobody to hold it.
                giveUp(insertion, LeaseCause(.issueFailed))
                throw error
            }
            switch outcome {
            case .applied(let record):
                return IssuePlan(record: record, call: call, terms: terms, moment: moment, timeout: timeout)
            case .refused(.beyondParent(let end)):
                parentEnd = end
            case .refused(.requestRepeated(let lease)):
                throw LeaseError(repeating: try await ledger.find(lease), lease, options)
            case .refused(let refusal):
                throw LeaseError(refusal, issuing: path, options)
            }
        }
        throw LeaseError(.parentNotActive, "the parent of the new lease at \"\(path)\" keeps changing; try again")
    }

    /// Step 4: the backend makes the credential, here and now if it never waits.
    ///
    /// What it made when it failed, if anything, is given up.
    @inline(__always)
    private func make<Request: Sendable, Secret: Sendable>(
        _ plan: IssuePlan,
        _ request: Request,
        as handle: inout [UInt8],
        from backend: any IssuingBackend<Request, Secret>,
        at mount: MountRuntime,
        _ place: inout Place
    ) async throws -> Issued<Secret> {
        mount.issuing.withLock { $0[plan.id] = () }
        do {
            guard mount.abilities.callStyle == .immediate else {
                let made = try await makeAndWait(plan, request, from: backend, at: mount, &place)
                handle = made.handle
                return try made.result.get()
            }
            defer { mount.issuing.withLock { $0[plan.id] = nil } }
            return try await place.callInPlace { try await call(backend, request, as: &handle, plan, mount) }
        } catch let failure as BackendFailure {
            await giveUp(plan, handle, failure, LeaseCause(.issueFailed))
            throw LeaseError(failure, issuing: plan.record, at: mount)
        }
    }

    /// The same for a backend that takes its time: under `run()`, so that it outlives a cancelled caller; what comes back when
    /// nobody waits any more is given up.
    @inline(never)
    private func makeAndWait<Request: Sendable, Secret: Sendable>(
        _ plan: IssuePlan,
        _ request: Request,
        from backend: any IssuingBackend<Request, Secret>,
        at mount: MountRuntime,
        _ place: inout Place
    ) async throws -> Made<Secret> {
        do {
            return try await place.call(until: plan.deadline, about: plan.record) {
                var handle = plan.record.handle
                let result: Result<Issued<Secret>, BackendFailure>
                do throws(BackendFailure) {
                    result = .success(try await self.call(backend, request, as: &handle, plan, mount))
                } catch {
                    result = .failure(error)
                }
                mount.issuing.withLock { $0[plan.id] = nil }
                return Made(handle: handle, result: result)
            } late: { made in
                mount.issuing.withLock { $0[plan.id] = nil }
                let made = (try? made.get()) ?? Made(handle: plan.record.handle, result: .failure(.neverSent))
                await self.giveUp(plan, made.handle, made.failure, LeaseCause(.callerGone))
            }
        } catch let failure as BackendFailure where !failure.wasSent {
            mount.issuing.withLock { $0[plan.id] = nil }
            await giveUp(plan, plan.record.handle, failure, LeaseCause(.shutdown))
            if lifecycle.phase == .running {
                throw LeaseError(.overloaded, "run() has more waiting than it takes; look what keeps it, and try again")
            }
            throw LeaseError(.managerStopped, "the manager is stopping and takes no new requests; use another one")
        } catch is BackendFailure {
            throw LeaseError(
                .deadlineExceeded,
                "the backend did not make a credential at \"\(plan.record.path)\" within "
                    + "\(LeaseDuration.text(of: plan.timeout)); what it may still make is ended, try again",
                lease: plan.id
            )
        }
    }

    /// Calls the backend; the handle comes back also when that fails.
    @inline(__always)
    private func call<Request: Sendable, Secret: Sendable>(
        _ backend: any IssuingBackend<Request, Secret>,
        _ request: Request,
        as handle: inout [UInt8],
        _ plan: IssuePlan,
        _ mount: MountRuntime
    ) async throws(BackendFailure) -> Issued<Secret> {
        // Where another manager adopted another target, nothing is made at this one any more. Asked now that the pending lease
        // is written: an adoption that comes later finds it there.
        if mount.abilities.leaseKind == .credential, !ledger.store.traits.isExclusive,
            await !isTarget(plan.call.target, of: mount)
        {
            throw .targetGivenUp
        }
        // After a standstill the pending lease may have been looked at and removed: nothing is sent behind its back.
        guard clock.moment().continuous < plan.deadline else {
            throw .neverSent
        }
        do {
            let issued = try await backend.issue(request, as: &handle, plan.call)
            noteSuccess(at: mount)
            return issued
        } catch {
            let failure = BackendFailure(reading: error, during: .issue)
            note(failure, at: mount)
            throw failure
        }
    }

    /// Steps 5 and 6.
    @inline(__always)
    private func activate<Secret: Sendable>(
        _ plan: IssuePlan,
        _ issued: Issued<Secret>,
        _ handle: [UInt8],
        at mount: MountRuntime
    ) async throws -> Lease<Secret> {
        let expiresAt = min(plan.terms.expiresAt, issued.expiresAt ?? plan.terms.expiresAt)
        var record = plan.record
        do {
            try HandleSize.check(handle, of: mount)
            if let end = issued.expiresAt, end <= clock.now {
                throw LeaseError(
                    .backendFailed,
                    "backend \(mount.backend.kind) made a credential at \"\(record.path)\" that had ended already (\(end)); "
                        + "compare the target's clock with this machine's",
                    lease: plan.id
                )
            }
            // What needs no making was written down as active already.
            if plan.record.state == .pending {
                let activation = LeaseActivation(
                    handle: handle,
                    expiresAt: expiresAt,
                    generation: plan.record.generation
                )
                let context = ledger.context(plan.call.cause)
                switch try await ledger.update(plan.id, .activate(activation), context) {
                case .applied(let active): record = active
                case .refused(let refusal): throw LeaseError(refusal, activating: plan.record)
                }
            }
        } catch {
            await giveUp(plan, handle, nil, LeaseCause(.issueFailed))
            throw error
        }
        alarm.ring(ifLaterThan: plan.moment.continuous(at: record.due))
        publish(LeaseEvent(.issued, record, at: plan.moment.now))
        return Lease(
            id: plan.id,
            path: record.path,
            secret: issued.secret,
            issuedAt: record.issuedAt,
            expiresAt: record.expiresAt,
            validUntil: plan.moment.continuous(at: record.expiresAt),
            isRenewable: record.isRenewable,
            terms: plan.terms,
            window: issued.window
        )
    }

    /// When the parent that binds ends, if there is one.
    ///
    /// The store checks it again.
    @inline(never)
    private func parentEnd(_ options: IssueOptions) async throws -> LeaseInstant? {
        guard let parent = options.parent, !options.outlivesParentTTL else { return nil }
        guard let record = try await ledger.find(parent) else {
            throw LeaseError(
                .parentNotActive,
                "the parent \(parent) does not exist any more; issue a new one first",
                lease: parent
            )
        }
        return record.expiresAt
    }

    private func insertion(
        for call: BackendCall,
        _ handle: [UInt8],
        _ options: IssueOptions,
        _ mount: MountRuntime
    ) -> LeaseInsertion {
        var insertion = LeaseInsertion(
            id: call.id,
            mount: mount.id,
            path: call.path,
            handle: handle,
            issuedAt: call.now,
            expiresAt: call.expiresAt,
            deadline: call.deadline
        )
        insertion.role = call.role
        insertion.kind = mount.abilities.leaseKind
        insertion.isRenewable = mount.abilities.isRenewable
        insertion.parent = options.parent
        insertion.bindsToParent = !options.outlivesParentTTL
        insertion.needsParent = mount.abilities.needsParent
        insertion.quotas = mount.settings.quotas
        insertion.fields.period = options.period
        insertion.fields.explicitMaximum = options.explicitMaximum
        insertion.fields.usesLeft = options.uses
        insertion.fields.requestID = options.requestID
        insertion.fields.owner = options.owner
        insertion.fields.labels = options.labels
        insertion.fields.sealedPayload = options.sealedPayload
        return insertion
    }
}
