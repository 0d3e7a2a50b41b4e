// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One run of one manager: from its start until it is stopped or dies.
///
/// Unchecked, because a simulated run has one thread.
final class SimulatedProcess: @unchecked Sendable {
    let name: String
    let deployment: Int
    let machine: Int
    let life = ProcessLife()
    let time: VirtualTime
    /// What its manager takes for the time.
    let managerTime: any LeaseTime
    let manager: LeaseManager
    let audit: AuditedStore
    let backends: [String: InMemoryBackend]
    var mounts: [String: Mount<InMemoryRequest, FakeCredential>] = [:]
    var sessions: Mount<String, Void>?
    /// Whether everything is mounted.
    var isReady = false
    var isStopping = false
    var hasEnded = false
    /// Whether the power went with it.
    var lostPower = false

    init(
        name: String,
        deployment: Int,
        machine: Int,
        time: VirtualTime,
        managerTime: any LeaseTime,
        audit: AuditedStore,
        store: (ProcessLife) -> any LeaseStore,
        configuration: LeaseManager.Configuration,
        backends: (ProcessLife) -> [String: InMemoryBackend]
    ) {
        self.name = name
        self.deployment = deployment
        self.machine = machine
        self.time = time
        self.managerTime = managerTime
        self.audit = audit
        self.backends = backends(life)
        manager = LeaseManager(store: store(life), configuration: configuration, time: managerTime)
    }

    var isUp: Bool { isReady && !isStopping && !hasEnded && life.phase == .running }

    func pause() {
        life.pause()
        time.pause()
    }

    func resume() {
        life.resume()
        time.resume()
    }

    func die() {
        life.die()
        time.pause()
    }

    /// Lets everything that still stands in a dead process come to its end.
    func bury() {
        manager.beginShutdown()
        life.bury()
        time.resume()
    }

    /// Serves every mount of a plan; tries again while the store is out of reach.
    func mount(_ plans: [MountPlan]) async {
        for plan in plans {
            for _ in 0..<100 where !life.isDead && !isStopping {
                do {
                    if plan.isSession {
                        if sessions == nil { sessions = try await manager.mountSessions(at: plan.path, plan.settings) }
                    } else if mounts[plan.path] == nil, let backend = backends[plan.path] {
                        mounts[plan.path] = try await manager.mount(backend, at: plan.path, plan.settings)
                    }
                    break
                } catch {
                    try? await time.sleep(for: .seconds(1))
                }
            }
        }
        isReady = sessions != nil && mounts.count == plans.count(where: { !$0.isSession })
    }
}
