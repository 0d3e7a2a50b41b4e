// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension InMemoryTarget {
    /// Lets these things go wrong with the next requests of an operation, one each, in this order.
    public func script(_ operation: TargetOperation, _ faults: TargetFault...) {
        settled { $0.scripts[operation, default: []] += faults }
    }

    /// Lets things go wrong by chance, where no script says what happens.
    public func setRandomFaults(_ mix: TargetFaultMix) { settled { $0.mix = mix } }

    /// Cuts the target off, for everybody or for the backends of one link.
    public func partition(_ kind: TargetPartition, link: String? = nil) {
        settled { $0.partitions[link ?? ""] = kind }
    }

    /// Ends the partition of everybody, or of one link.
    public func heal(link: String? = nil) { settled { $0.partitions[link ?? ""] = nil } }

    /// Lets every request fail as not logged in, or no more.
    public func setLoginBroken(_ isBroken: Bool) { settled { $0.isLoginBroken = isBroken } }

    /// Lets listings lag behind what was made and ended.
    public func setInventoryLag(_ lag: Duration) { settled { $0.inventoryLag = lag } }

    /// Bounds how long after its arrival a request may still make a credential, as a backend's settling time promises.
    public func setLatestApplication(_ limit: Duration?) { settled { $0.latestApplication = limit } }

    /// Puts another target under the same address, with a table of its own, or an earlier one back again.
    ///
    /// Requests on their way still reach the target that they were sent to.
    public func replace(by fingerprint: String) {
        settled { state in
            state.fingerprint = fingerprint
            if state.tables[fingerprint] == nil { state.tables[fingerprint] = TargetState.Table() }
        }
    }

    /// Puts somebody at the target whom no lease made: a stranger without a mark, or one of another deployment.
    ///
    /// Somebody who holds the name already is put out.
    public func plant(_ name: String, mark: LeaseMark? = nil, password: String = "stranger") {
        let now = time.read()
        settled { state in
            let principal = TargetPrincipal(
                name: name,
                number: state.draw(),
                mark: mark,
                role: "",
                madeAt: now.wall,
                endsAt: nil,
                target: state.fingerprint,
                password: password,
                madeAfter: now.continuous
            )
            state.tables[state.fingerprint]?.principals[name] = principal
        }
    }

    /// Takes somebody away behind everybody's back, as an administrator does.
    public func drop(_ name: String) {
        settled { state in state.tables[state.fingerprint]?.principals[name] = nil }
    }

    /// Lets go of every request that hangs: does and answers it now, or throws it away.
    public func releaseHanging(applying: Bool = true) {
        let now = time.read()
        let released = settled { state in
            let hanging = state.inFlight.filter(\.isHanging)
            state.inFlight.removeAll(where: \.isHanging)
            return hanging.map { late in
                let reply =
                    applying
                    ? state.apply(late.request, to: late.table, arrivedAt: late.arrivedAt, now, isLate: true) : nil
                return (state.waiters.removeValue(forKey: late.id), reply)
            }
        }
        for (waiter, reply) in released {
            waiter?.resume(
                returning: reply ?? .failed(BackendFailure(.transient, "the target dropped the connection"))
            )
        }
    }

    /// Ends everything that goes wrong: scripts, chance, partitions, the broken login, lagging lists.
    ///
    /// Requests that hang are done now, those that wait for a revocation too; those that are late come when they
    /// are due.
    public func stopFaults() {
        let now = time.read()
        settled { state in
            state.scripts = [:]
            state.mix = TargetFaultMix()
            state.partitions = [:]
            state.isLoginBroken = false
            state.inventoryLag = .zero
            for index in state.inFlight.indices where state.inFlight[index].afterRevoke != nil {
                state.inFlight[index].afterRevoke = nil
                state.inFlight[index].due = now.continuous
            }
        }
        releaseHanging()
        settle()
    }

    /// Waits for a hanging request to be let go; nil when the wait is cancelled.
    func waitForRelease(_ id: UInt64) async -> TargetReply? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Released already, or cancelled: the flag is set before the handler below takes the lock.
                let isOver = state.withLock { state in
                    if Task.isCancelled || !state.inFlight.contains(where: { $0.id == id }) { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume(returning: nil) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
    }
}
