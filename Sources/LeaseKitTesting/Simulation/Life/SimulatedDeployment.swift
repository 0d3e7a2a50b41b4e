// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One deployment: what its store lies on, the machines on which its managers run, and the managers of now and before.
///
/// Unchecked, because a simulated run has one thread.
final class SimulatedDeployment: @unchecked Sendable {
    let index: Int
    let name: String
    let isShared: Bool
    /// Whether its leases go with the process.
    let isVolatile: Bool
    let plans: [MountPlan]
    let disk: any SimulatedDisk
    /// The store of the process that started last: what the table is read through.
    var store: AuditedStore?
    let storeClock: VirtualTime
    let machines: [VirtualTime]
    /// The process on each machine; nil while it is down.
    var processes: [SimulatedProcess?]
    var graveyard: [SimulatedProcess] = []
    let weather = Locked(SimulatedStore.Weather())
    /// Whether there is a copy of the table that can be put in its place.
    var hasCopy = false
    /// Processes that ended, while their disk has not heard of it.
    var ended: [SimulatedProcess] = []
    /// Ids that callers got or asked about, oldest first, for operations to choose from.
    var known: [LeaseID] = []
    var sessions: [LeaseID] = []
    var closings: [RevocationOrderID] = []
    var orders: [RevocationOrderID] = []
    /// How often a backup took the place of the table.
    var restores = 0
    var starts = 0
    /// Machines whose power went, and which nobody has switched on again.
    var dark: Set<Int> = []

    init(
        index: Int,
        name: String,
        isShared: Bool,
        isVolatile: Bool,
        plans: [MountPlan],
        disk: any SimulatedDisk,
        storeClock: VirtualTime,
        machines: [VirtualTime]
    ) {
        self.index = index
        self.name = name
        self.isShared = isShared
        self.isVolatile = isVolatile
        self.plans = plans
        self.disk = disk
        self.storeClock = storeClock
        self.machines = machines
        processes = machines.map { _ in nil }
    }
}
