// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A mount while it is served: its backend, its gate, and the calls that run.
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
    let issuing = Locked(CallTable<LeaseID, Void>())
    /// Calls to renew or end a lease that have not returned yet, and until when others about it are kept out for them.
    private let calls = Locked(CallTable<LeaseID, Duration>())
    private let target: Locked<String?>
    private let witnesses: Locked<Bool>
    private let doubt = Locked(false)

    init(
        _ registration: MountRegistration,
        _ backend: any ErasedBackend,
        _ settings: MountSettings,
        awaitsWitnesses: Bool = false
    ) {
        id = registration.id
        path = registration.path
        self.backend = backend
        abilities = backend.abilities
        gate = Locked(MountGate(settings))
        target = Locked(registration.fingerprint)
        witnesses = Locked(awaitsWitnesses && backend.canListInventory)
    }

    /// Whether the target is still to be asked, before anything is ended by time, if it knows of another copy of the store.
    var awaitsWitnesses: Bool {
        get { witnesses.withLock { $0 } }
        set { witnesses.withLock { $0 = newValue } }
    }

    /// Whether the target that answers is known to be the right one.
    var isConfirmed: Bool { gate.withLock { $0.isConfirmed } }

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
            if target == fingerprint { return false }
            target = fingerprint
            return true
        }
        if isNews { gate.withLock { $0.identity = .unasked } }
    }

    /// The path below the mount.
    func rolePath(of path: String) -> String { LeasePath.below(self.path.utf8.count, path) }

    /// Whether a call about a lease is under way, one that nobody waits for any more included.
    ///
    /// Until its deadline: one that ignores it may not keep a lease from being ended for ever.
    func isCalling(about id: LeaseID, at continuous: @autoclosure () -> Duration) -> Bool {
        guard let deadline = calls.withLock({ $0.isEmpty ? nil : $0[id] }) else { return false }
        return continuous() < deadline
    }

    /// Keeps other calls about some leases out until `body` returns, or until `deadline`.
    func calling<Value>(about ids: [LeaseID], until deadline: Duration, _ body: () async throws -> Value) async rethrows
        -> Value
    {
        calls.withLock { calls in for id in ids { calls[id] = deadline } }
        defer { calls.withLock { calls in for id in ids { calls[id] = nil } } }
        return try await body()
    }

    /// The same for one lease, for a call that is made in place.
    func beginCall(about id: LeaseID, until deadline: Duration) { calls.withLock { $0[id] = deadline } }

    /// Lets other calls about a lease in again.
    func endCall(about id: LeaseID) { calls.withLock { $0[id] = nil } }

    /// Takes a place to issue or renew if there is one at once, at a target that is known to be the right one.
    func enterNow(at now: LeaseInstant) -> Bool {
        gate.withLock { $0.isConfirmed && $0.enter(.demand, at: now) == nil }
    }

    /// Waits for a place to issue or renew, first come first served, until the deadline.
    @inline(never)
    func enter(until deadline: Duration, _ clock: LeaseClock) async throws {
        var ticket: UInt64?
        do {
            while true {
                let moment = clock.moment()
                let turn = Reply<Void>()
                guard let refusal = gate.withLock({ $0.enterOrWait(&ticket, turn, at: moment.now) }) else { break }
                switch refusal {
                case .busy:
                    if try await turn.value(until: deadline, clock.time) == nil {
                        throw LeaseError(noPlaceAt: self)
                    }
                case .tooFast(let wait) where moment.continuous + wait <= deadline:
                    // Time brings the next place; changed settings may bring it earlier.
                    _ = try await turn.value(until: moment.continuous + wait, clock.time)
                default:
                    throw LeaseError(refusal, at: self)
                }
            }
        } catch {
            gate.withLock { $0.leaveLine(ticket) }
            callNext()
            throw error
        }
        // There may be more than one place.
        callNext()
    }

    /// Gives a place back; true when there was none left.
    @discardableResult
    func leave(_ kind: MountGate.Kind) -> Bool {
        let (wasFull, next): (Bool, Reply<Void>?) = gate.withLock { gate in
            let wasFull = gate.isFull(kind)
            gate.leave(kind)
            return (wasFull, kind == .demand ? gate.line.first : nil)
        }
        next?.deliver(.success(()))
        return wasFull
    }

    /// Calls whoever waits longest to look again: a place became free, the settings were changed, or there is no point in
    /// waiting any more.
    ///
    /// That one calls the next.
    func callNext() {
        gate.withLock { $0.line.first }?.deliver(.success(()))
    }
}

extension LeaseError {
    /// A mount's gate that does not open.
    fileprivate init(_ refusal: MountGate.Refusal, at mount: MountRuntime) {
        let path = mount.path
        switch refusal {
        case .targetMismatch(let found):
            self.init(mismatch: found, at: mount)
        case .targetDown(let wait):
            self.init(
                .targetUnavailable,
                "the target of mount \"\(path)\" is down; it is probed every few seconds, try again then",
                retryAfter: wait
            )
        case .unmounting:
            self.init(
                .unknownMount,
                "mount \"\(path)\" was unmounted, or is being unmounted; mount a backend there again first"
            )
        case .tooFast(let wait):
            self.init(
                .overloaded,
                "the rate limit of mount \"\(path)\" leaves no room for this call; try again or raise the limit",
                retryAfter: wait
            )
        case .crowded(let limit):
            self.init(
                .overloaded,
                "\(limit) calls wait for mount \"\(path)\" already; try again later, or raise its concurrency"
            )
        case .busy:
            self.init(noPlaceAt: mount)
        }
    }

    fileprivate init(noPlaceAt mount: MountRuntime) {
        self.init(
            .overloaded,
            "no place became free at mount \"\(mount.path)\" in time; its target is slow, or its concurrency too low"
        )
    }
}
