// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Decides how long a lease may run, with the limits as they are now.
    func decide(_ request: TTLRequest, role: TTLLimits, at mount: MountRuntime) throws -> TTLDecision {
        let policy = TTLPolicy(
            rules: configuration.ttlRules,
            system: configuration.limits,
            mount: mount.settings.limits,
            role: role
        )
        do {
            return try policy.decide(request)
        } catch {
            throw LeaseError(error)
        }
    }

    /// Asks a backend something that needs no I/O; a foreign error becomes ours.
    func askBackend<Answer>(_ question: () throws -> Answer) throws -> Answer {
        do {
            return try question()
        } catch let error as LeaseError {
            throw error
        } catch {
            let failure = BackendFailure(reading: error, during: .other)
            throw LeaseError(.backendFailed, failure.message, underlying: error)
        }
    }

    /// Makes one backend call that must outlive its caller: as a child of `run()`, waited for until `deadline`.
    ///
    /// A backend that never waits is called in place. The place at the gate was taken before; it is given back when the
    /// call returns, however late. `late` is told of an answer that nobody waited for.
    func callBackend<Value: Sendable>(
        _ mount: MountRuntime,
        _ kind: MountGate.Kind,
        until deadline: Duration,
        _ body: @escaping @Sendable () async throws -> Value,
        late: (@Sendable (Result<Value, any Error>) async -> Void)? = nil
    ) async throws -> Value {
        if mount.abilities.callStyle == .immediate {
            defer { mount.leave(kind) }
            return try await body()
        }
        let timeout = deadline - clock.moment().continuous
        let reply = Reply<Value>()
        let isAccepted = work.submit {
            let result: Result<Value, any Error>
            if reply.isAbandoned {
                result = .failure(BackendFailure.neverSent)
            } else {
                do { result = .success(try await body()) } catch { result = .failure(error) }
            }
            mount.leave(kind)
            if kind == .revocation { self.alarm.ring() }
            if !reply.deliver(result) { await late?(result) }
        }
        guard isAccepted else {
            mount.leave(kind)
            throw BackendFailure.neverSent
        }
        if let value = try await reply.value(until: deadline, clock.time) { return value }
        publish(LeaseEvent(.callOverdue, at: clock.now, path: mount.path))
        throw BackendFailure.overdue(after: timeout)
    }

    /// Notes that a target answered.
    func noteSuccess(at mount: MountRuntime) {
        if mount.gate.withLock({ $0.succeed() }) {
            publish(LeaseEvent(.targetUp, at: clock.now, path: mount.path))
            alarm.ring()
        }
    }

    /// Notes what a failure says about the target.
    func note(_ failure: BackendFailure, at mount: MountRuntime) {
        let now = clock.now
        if let found = failure.foundTarget { return noteMismatch(found, at: mount, now) }
        if failure.scope == .target {
            if mount.gate.withLock({ $0.failTarget(at: now, retryAfter: failure.retryAfter) }) {
                publish(LeaseEvent(.targetDown, at: now, path: mount.path, failure: failure.note))
            }
            alarm.ring()
        } else if failure.reachedTarget {
            noteSuccess(at: mount)
        }
    }

    private func noteMismatch(_ found: String, at mount: MountRuntime, _ now: LeaseInstant) {
        guard mount.gate.withLock({ $0.mismatch(found: found, at: now) }) else { return }
        let note = "the mount belongs to \(mount.fingerprint ?? "no target yet"), but \(found) answers"
        publish(LeaseEvent(.targetMismatch, at: now, path: mount.path, note: note))
    }

    /// Makes sure that the right target answers, before the first call and after each outage.
    ///
    /// The caller holds a place at the gate, so a target that is down is asked no more often than its breaker allows.
    func confirmTarget(of mount: MountRuntime) async throws {
        if mount.isConfirmed { return }
        let call = try await managementCall(at: mount, timeout: mount.settings.renewTimeout)
        let found: String?
        do {
            found = try await askTarget(mount, call)
        } catch let error as CancellationError {
            // Whoever asked went away: that says nothing about the target.
            throw error
        } catch {
            let failure = BackendFailure(reading: error, during: .other).aboutTarget
            note(failure, at: mount)
            throw LeaseError(failure, at: mount)
        }
        try await settleIdentity(found, of: mount)
    }

    /// Asks for the fingerprint.
    ///
    /// Not through ``callBackend(_:_:until:_:late:)``: the place is the caller's and stays so.
    func askTarget(_ mount: MountRuntime, _ call: BackendCall) async throws -> String? {
        if mount.abilities.callStyle == .immediate { return try await mount.backend.fingerprint(call) }
        let reply = Reply<String?>()
        let isAccepted = work.submit {
            do {
                reply.deliver(.success(try await mount.backend.fingerprint(call)))
            } catch {
                reply.deliver(.failure(error))
            }
        }
        guard isAccepted else { throw BackendFailure.neverSent }
        let deadline = clock.moment().continuous(at: call.deadline)
        guard let answer = try await reply.value(until: deadline, clock.time) else {
            throw BackendFailure(
                .transient,
                scope: .target,
                code: "overdue",
                "the target did not say who it is in time"
            )
        }
        return answer
    }

    private func settleIdentity(_ found: String?, of mount: MountRuntime) async throws {
        if let found, let expected = mount.fingerprint, found != expected, await !isTarget(found, of: mount) {
            noteMismatch(found, at: mount, clock.now)
            throw LeaseError(BackendFailure.wrongTarget(found: found), at: mount)
        }
        if let found, mount.fingerprint == nil {
            // The first target that answers is the one that the mount belongs to.
            let context = ledger.context(LeaseCause(.requested))
            let isAdopted = try await ledger.ask { try await $0.adopt(found, for: mount.id, expected: nil, context) }
            if !isAdopted {
                let registered = try await ledger.ask { try await $0.mounts() }.first { $0.id == mount.id }
                if let other = registered?.fingerprint, other != found {
                    mount.fingerprint = other
                    noteMismatch(found, at: mount, clock.now)
                    throw LeaseError(BackendFailure.wrongTarget(found: found), at: mount)
                }
            }
            mount.fingerprint = found
        }
        mount.gate.withLock { $0.identity = .confirmed }
        noteSuccess(at: mount)
    }

    /// A call that is about the mount and not about a lease.
    func managementCall(at mount: MountRuntime, timeout: Duration) async throws -> BackendCall {
        let opening = try await opened()
        let now = clock.now
        let nobody = LeaseID(high: 0, low: 0)
        return BackendCall(
            id: nobody,
            path: mount.path,
            rolePath: "",
            mark: LeaseMark(
                deployment: deployment(opening),
                lease: nobody,
                epoch: ledger.opening?.epoch ?? opening.epoch
            ),
            now: now,
            expiresAt: now,
            deadline: now + timeout,
            target: mount.fingerprint,
            start: start
        )
    }

    /// Which start of this manager backends are told of.
    var start: ManagerStart? {
        ledger.opening.map { ManagerStart($0.incarnation, isAlone: ledger.store.traits.isExclusive) }
    }

    /// A call about a lease that is there.
    func call(
        for record: LeaseRecord,
        at mount: MountRuntime,
        now: LeaseInstant,
        timeout: Duration,
        expiresAt: LeaseInstant? = nil,
        cause: LeaseCause? = nil
    ) -> BackendCall {
        let opening = ledger.opening
        return BackendCall(
            id: record.id,
            path: record.path,
            rolePath: mount.rolePath(of: record.path),
            mark: LeaseMark(
                deployment: opening.map(deployment) ?? "",
                lease: record.id,
                epoch: opening?.epoch ?? 0
            ),
            now: now,
            expiresAt: expiresAt ?? record.expiresAt,
            deadline: now + timeout,
            attempt: Int(record.attempts),
            role: record.role,
            target: mount.fingerprint,
            claim: record.claim,
            cause: cause ?? record.cause ?? LeaseCause(.requested),
            start: start
        )
    }
}
