// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Who answers at a mount's address: asked before the first call and after each outage.
extension LeaseManager {
    /// Makes sure that the right target answers, before the first call and after each outage.
    ///
    /// The caller holds a place at the gate, so a target that is down is asked no more often than its breaker allows.
    @inline(never)
    func confirmTarget(of mount: MountRuntime) async throws {
        if mount.isConfirmed { return }
        if mount.isTargetInDoubt {
            let registered = try await ledger.ask { try await $0.mounts() }.first { $0.id == mount.id }
            mount.settleTarget(registered?.fingerprint)
        }
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
    /// Not through ``callBackend(_:_:until:about:_:late:)``: the place is the caller's and stays so.
    func askTarget(_ mount: MountRuntime, _ call: BackendCall) async throws -> String? {
        let backend = mount.backend
        return try await question(mount, call) { try await backend.fingerprint(call) }
    }

    /// Asks a target something that is not about a lease, until the call's deadline.
    func question<Answer: Sendable>(
        _ mount: MountRuntime,
        _ call: BackendCall,
        _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let ask: @Sendable () async throws -> Answer = {
            do {
                return try await body()
            } catch is CancellationError {
                throw BackendFailure(reading: CancellationError(), during: .other)
            }
        }
        if mount.abilities.callStyle == .immediate { return try await ask() }
        let reply = Reply<Answer>()
        let isAccepted = work.submit {
            do {
                reply.deliver(.success(try await ask()))
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
                "the target did not answer in time"
            )
        }
        return answer
    }

    private func settleIdentity(_ found: String?, of mount: MountRuntime) async throws {
        if let expected = mount.fingerprint, found != expected, await !isTarget(found, of: mount) {
            noteMismatch(found, at: mount, clock.now)
            throw LeaseError(mismatch: found, at: mount)
        }
        guard let found else {
            // A target that cannot tell: nothing was asked of it, so whether it is up is for the call itself to find out.
            return mount.gate.withLock { $0.identity = .confirmed }
        }
        if mount.fingerprint == nil {
            // The first target that answers is the one that the mount belongs to.
            let context = ledger.context(LeaseCause(.requested))
            let isAdopted = try await ledger.ask { try await $0.adopt(found, for: mount.id, expected: nil, context) }
            if !isAdopted {
                let registered = try await ledger.ask { try await $0.mounts() }.first { $0.id == mount.id }
                if let other = registered?.fingerprint, other != found {
                    mount.fingerprint = other
                    noteMismatch(found, at: mount, clock.now)
                    throw LeaseError(mismatch: found, at: mount)
                }
            }
            mount.fingerprint = found
        }
        mount.gate.withLock { $0.identity = .confirmed }
        noteSuccess(at: mount)
    }

    /// Notes that another target answers, or one that does not say who it is.
    func noteMismatch(_ found: String?, at mount: MountRuntime, _ now: LeaseInstant) {
        let isNews = mount.gate.withLock { $0.mismatch(found: found, at: now) }
        mount.callNext()
        guard isNews else { return }
        let who = found ?? "one that does not say who it is"
        let note = "the mount belongs to \(mount.fingerprint ?? "no target yet"), but \(who) answers"
        publish(LeaseEvent(.targetMismatch, at: now, path: mount.path, note: note))
    }
}
