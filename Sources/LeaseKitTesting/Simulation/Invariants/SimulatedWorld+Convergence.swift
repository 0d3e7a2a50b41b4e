// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Convergence: invariant 2.
extension SimulatedWorld {
    func checkConvergence() async {
        for deployment in deployments {
            checker.needsRefresh[deployment.index] = true
            await check()
            let now = checker.lastNow[deployment.index]
            for id in checker.recorded(in: deployment.index) {
                guard let lease = checker.leases[id] else { continue }
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
                let orders = try await deployment.store.table.openOrders(limit: 100).value
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
}
