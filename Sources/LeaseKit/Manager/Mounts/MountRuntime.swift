// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A mount while it is served: its backend, its gate, and who waits at it.
final class MountRuntime: Sendable {
    let id: MountID
    let path: String
    let backend: any ErasedBackend
    let abilities: BackendAbilities
    /// Decides which calls may be made now.
    let gate: Locked<MountGate>
    /// One renewal of a lease at a time.
    let renewals = KeyedTurns<LeaseID>()
    /// Issuing calls that have not returned yet: their leases are not settled, whatever the target says.
    let issuing = Locked<Set<LeaseID>>([])
    /// Calls to renew or end a lease that have not returned yet, and until when others about it are kept out for them.
    private let calls = Locked<[LeaseID: Duration]>([:])
    private let waiters = Locked<[Reply<Void>]>([])
    private let target: Locked<String?>
    private let doubt = Locked(false)

    init(_ registration: MountRegistration, _ backend: any ErasedBackend, _ settings: MountSettings) {
        id = registration.id
        path = registration.path
        self.backend = backend
        abilities = backend.abilities
        gate = Locked(MountGate(settings))
        target = Locked(registration.fingerprint)
    }

    /// Whether the target that answers is known to be the right one.
    var isConfirmed: Bool { gate.withLock { $0.identity == .confirmed } }

    var settings: MountSettings { gate.withLock { $0.shared }.value }

    /// The fingerprint of the target that the mount belongs to.
    var fingerprint: String? {
        get { target.withLock { $0 } }
        set { target.withLock { $0 = newValue } }
    }

    /// Whether the store may have another target for the mount than this manager, since an answer about it was lost.
    var isTargetInDoubt: Bool { doubt.withLock { $0 } }

    /// Has the store asked for the mount's target before anything else is called.
    func doubtTarget() {
        doubt.withLock { $0 = true }
        gate.withLock { $0.identity = .unasked }
    }

    /// Takes what the store says for the mount's target.
    func settleTarget(_ fingerprint: String?) {
        target.withLock { $0 = fingerprint }
        doubt.withLock { $0 = false }
    }

    /// Takes over the target that another manager on the same store adopted; who answers here is asked before the next call.
    func follow(_ fingerprint: String?) {
        let isNews = target.withLock { target in
            if fingerprint == nil || target == fingerprint { return false }
            target = fingerprint
            return true
        }
        if isNews { gate.withLock { $0.identity = .unasked } }
    }

    /// The path below the mount.
    func rolePath(of path: String) -> String {
        let (whole, own) = (path.utf8, self.path.utf8.count)
        return whole.count > own ? String(path[whole.index(whole.startIndex, offsetBy: own + 1)...]) : ""
    }

    /// Whether a call about a lease is under way, one that nobody waits for any more included.
    ///
    /// Until its deadline: one that ignores it may not keep a lease from being ended for ever.
    func isCalling(about id: LeaseID, at continuous: Duration) -> Bool {
        calls.withLock { $0[id].map { continuous < $0 } ?? false }
    }

    /// Keeps other calls about some leases out until `body` returns, or until `deadline`.
    func calling<Value>(about ids: [LeaseID], until deadline: Duration, _ body: () async throws -> Value) async rethrows
        -> Value
    {
        calls.withLock { calls in for id in ids { calls[id] = deadline } }
        defer { calls.withLock { calls in for id in ids { calls[id] = nil } } }
        return try await body()
    }

    /// Takes a place to issue or renew if there is one at once.
    func enterNow(at now: LeaseInstant) -> Bool { gate.withLock { $0.enter(.demand, at: now) } == nil }

    /// Waits for a place to issue or renew, first come first served, until the deadline.
    func enter(until deadline: Duration, _ clock: LeaseClock) async throws {
        while true {
            let moment = clock.moment()
            guard let refusal = gate.withLock({ $0.enter(.demand, at: moment.now, asksFirst: true) }) else { return }
            switch refusal {
            case .targetMismatch(let found):
                throw LeaseError(
                    .targetMismatch,
                    "another target (\(found)) answers for mount \"\(path)\"; nothing is issued until it is adopted with "
                        + "adoptTarget(at:), or the address is put right"
                )
            case .targetDown(let wait):
                throw LeaseError(
                    .targetUnavailable,
                    "the target of mount \"\(path)\" is down; it is probed every few seconds, try again then",
                    retryAfter: wait
                )
            case .unmounting:
                throw LeaseError(
                    .unknownMount,
                    "mount \"\(path)\" was unmounted, or is being unmounted; mount a backend there again first"
                )
            case .busy:
                try await waitForTurn(until: deadline, clock)
            case .tooFast(let wait):
                if moment.continuous + wait > deadline {
                    throw LeaseError(
                        .overloaded,
                        "the rate limit of mount \"\(path)\" leaves no room for this call; try again or raise the limit",
                        retryAfter: wait
                    )
                }
                try await clock.time.sleep(until: moment.continuous + wait)
            }
        }
    }

    /// Gives a place back, and wakes whoever waits longest.
    func leave(_ kind: MountGate.Kind) {
        gate.withLock { $0.leave(kind) }
        guard kind == .demand else { return }
        // Somebody who went away in this very moment does not take the place: the next one gets it.
        while let next = waiters.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            if next.deliver(.success(())) { return }
        }
    }

    private func waitForTurn(until deadline: Duration, _ clock: LeaseClock) async throws {
        let limit = settings.waitingLimit
        let turn = Reply<Void>()
        let isFull = waiters.withLock { waiters in
            waiters.removeAll { $0.isAbandoned }
            if waiters.count >= limit { return true }
            waiters.append(turn)
            return false
        }
        if isFull {
            throw LeaseError(
                .overloaded,
                "\(limit) calls wait for mount \"\(path)\" already; try again later, or raise its concurrency"
            )
        }
        if try await turn.value(until: deadline, clock.time) == nil {
            throw LeaseError(
                .overloaded,
                "no place became free at mount \"\(path)\" in time; its target is slow, or its concurrency too low"
            )
        }
    }
}
