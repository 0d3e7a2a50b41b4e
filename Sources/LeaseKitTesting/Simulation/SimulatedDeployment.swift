// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One deployment: a store, the machines on which its managers run, and the managers of now and before.
///
/// Unchecked, because a simulated run has one thread.
final class SimulatedDeployment: @unchecked Sendable {
    let index: Int
    let name: String
    let isShared: Bool
    let plans: [MountPlan]
    var store: AuditedStore
    let storeClock: VirtualTime
    let machines: [VirtualTime]
    /// The process on each machine; nil while it is down.
    var processes: [SimulatedProcess?]
    var graveyard: [SimulatedProcess] = []
    let weather = Locked(SimulatedStore.Weather())
    var backup: InMemoryLeaseStore?
    /// Ids that callers got or asked about, oldest first, for operations to choose from.
    var known: [LeaseID] = []
    var sessions: [LeaseID] = []
    var closings: [RevocationOrderID] = []
    var orders: [RevocationOrderID] = []
    /// How often a backup took the place of the table.
    var restores = 0
    var starts = 0

    init(
        index: Int,
        name: String,
        isShared: Bool,
        plans: [MountPlan],
        store: AuditedStore,
        storeClock: VirtualTime,
        machines: [VirtualTime]
    ) {
        self.index = index
        self.name = name
        self.isShared = isShared
        self.plans = plans
        self.store = store
        self.storeClock = storeClock
        self.machines = machines
        processes = machines.map { _ in nil }
    }
}
