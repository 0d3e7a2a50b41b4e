// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Convergence: invariant 2.
extension SimulatedWorld {
    func checkConvergence() async {
        checkForgotten()
        for deployment in deployments {
            checker.needsRefresh[deployment.index] = true
            await check()
            let now = checker.lastNow[deployment.index]
            for id in checker.recorded(in: deployment.index) {
                guard let lease = checker.leases[id] else { continue }
                await describe(lease, in: deployment)
                switch lease.state {
                case .active:
                    if lease.expiresAt + .seconds(120) < now {
                        checker.violate(
                            2,
                            lease,
                            "its time is over since \(lease.expiresAt), and nothing happened (\(now))"
                        )
                    } else if lease.excuse == nil, !lease.name.isEmpty, lease.expiresAt > now,
                        !checker.isLive(lease.name)
                    {
                        checker.violate(2, lease, "it is active, and the target does not know it")
                    }
                case .ending:
                    if lease.expiresAt + .seconds(600) < now { checker.violate(2, lease, "it ends, and does not") }
                case nil: break
                case .some(let state):
                    if lease.isHollow { continue }
                    checker.violate(2, lease, "two hours after the last fault it is still \(state)")
                }
            }
            do {
                let orders = try await deployment.store?.openOrders(limit: 100).value ?? []
                for order in orders where !order.isClosing && order.progress.unfinished > 0 {
                    checker.violate(2, nil, "order \(order.id) is not complete: \(order.progress)")
                }
                for order in orders where !order.progress.isExpanded {
                    checker.violate(2, nil, "order \(order.id) (\(order.selection)) was never expanded")
                }
            } catch {
                checker.violate(2, nil, "the table cannot be read: \(error)")
            }
        }
    }

    /// Over a store that goes with its process, a manager that stops in order ends everything first.
    func checkVolatileStores() {
        for deployment in deployments where deployment.isVolatile {
            for id in checker.recorded(in: deployment.index) {
                guard let lease = checker.leases[id], lease.excuse == nil, lease.state != .ending, !lease.isHollow
                else {
                    continue
                }
                checker.violate(2, lease, "its manager has stopped in order, and nobody will remember it")
            }
            counts.add("volatile.stopped")
        }
    }

    /// Nothing lives for ever that a process made and took to its grave.
    func checkForgotten() {
        let now = time.read().wall
        let left = target.settled { state in
            state.tables.values.flatMap { $0.principals.values }.filter { $0.mark != nil && $0.isLive(at: now) }
        }
        for principal in left.sorted(by: { $0.name < $1.name }) {
            guard let mark = principal.mark, let lease = checker.leases[mark.lease], lease.state == nil,
                deployments[lease.deployment].isVolatile, !lease.wasMeddledWith
            else { continue }
            checker.violate(
                2,
                lease,
                "it went with its process two hours ago, and the target still holds its credential"
            )
        }
    }

    /// Adds what an operator would look at to the trail of a lease.
    private func describe(_ lease: TrackedLease, in deployment: SimulatedDeployment) async {
        guard lease.state != .active || lease.expiresAt < checker.lastNow[deployment.index] else { return }
        guard let store = deployment.store, let record = try? await store.find([lease.id]).value[0] else { return }
        let children = (try? await store.counts(.children(lease.id)).value.total) ?? 0
        lease.note(
            "record: due \(record.due), mount \(record.mount), orders \(record.orders), claim \(record.claim.map { "\($0)" } ?? "none"), "
                + "attempts \(record.attempts), children \(children), failure \(record.failure.map { "\($0)" } ?? "none")"
        )
        for process in deployment.processes.compactMap({ $0 }) {
            let path = deployment.plans.first { LeasePath.lies(lease.path, under: $0.path) }?.path ?? ""
            lease.note(
                "\(process.name): ready \(process.isReady), mount \(process.mounts[path].map { "\($0.id)" } ?? "none"), held off by "
                    + "\(process.manager.holdOffReasons), health \((try? process.manager.health(ofMountAt: path)).map { "\($0)" } ?? "none")"
            )
        }
    }
}
