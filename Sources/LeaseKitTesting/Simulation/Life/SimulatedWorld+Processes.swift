// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How processes begin and end.
extension SimulatedWorld {
    /// Starts a manager on a machine, on what the processes before have left; nil when its store cannot be made.
    @discardableResult
    func start(_ machine: Int, of deployment: SimulatedDeployment) async -> SimulatedProcess? {
        await buryStores(of: deployment)
        if deployment.dark.remove(machine) != nil {
            await deployment.machines[machine].reboot()
            checker.didBoot(deployment.index)
        }
        deployment.starts += 1
        let name = "\(deployment.name)-\(machine).\(deployment.starts)"
        let audit: AuditedStore
        do {
            let base = try await deployment.disk.makeStore()
            audit = AuditedStore(base, on: deployment.disk, deployment: deployment.index, checker: checker)
        } catch {
            note("no store for \(name): \(error)")
            return nil
        }
        let process = make(name, machine, of: deployment, audit)
        audit.didLosePower = { [weak self, weak process] in
            if let self, let process { self.kill(process, losingPower: true) }
        }
        deployment.store = audit
        checker.unsettle(deployment.index)
        deployment.processes[machine] = process
        for plan in deployment.plans {
            let now = self.time.read().continuous
            checker.limits[deployment.index].change(plan.path, of: name, to: nil, at: now)
        }
        note("start \(name)")
        counts.add("starts")
        pending.append { [checker] in
            do { try await process.manager.run() } catch { checker.checkText("\(error)", "an error") }
            process.hasEnded = true
        }
        background("mount", on: process) { await process.mount(deployment.plans) }
        return process
    }

    private func make(
        _ name: String,
        _ machine: Int,
        of deployment: SimulatedDeployment,
        _ audit: AuditedStore
    ) -> SimulatedProcess {
        let time = deployment.machines[machine].process(named: name)
        var configuration = LeaseManager.Configuration(entropy: .seeded(random.next()))
        configuration.executor = executor
        configuration.observationInterval = .seconds(60)
        configuration.revocationWait = .seconds(20)
        configuration.patience = SimulatedWorld.patience
        let observer = CheckingObserver(checker: checker)
        configuration.observers = [observer]
        let storeSeed = random.next()
        let entropy = LeaseEntropy.seeded(random.next())
        let process = SimulatedProcess(
            name: name,
            deployment: deployment.index,
            machine: machine,
            time: time,
            managerTime: mutation?.time(time) ?? time,
            audit: audit,
            store: { [mutation, counts] life in
                SimulatedStore(
                    mutation?.store(audit) ?? audit,
                    life: life,
                    time: time,
                    storeClock: deployment.isShared ? deployment.storeClock : nil,
                    weather: deployment.weather,
                    seed: storeSeed,
                    note: { counts.add($0) }
                )
            },
            configuration: configuration,
            backends: { [target] life in
                let backends = deployment.plans.filter { !$0.isSession }.map { plan in
                    let backend = InMemoryBackend(
                        target: target,
                        time: time,
                        roles: ["app": InMemoryRole(limits: plan.role, longestLife: plan.longestLife)],
                        abilities: plan.abilities,
                        slack: plan.slack,
                        pageSize: plan.pageSize,
                        link: deployment.name,
                        provesGone: plan.provesGone,
                        entropy: entropy,
                        crash: { try await life.reach("\($0)") }
                    )
                    return (plan.path, backend)
                }
                return Dictionary(uniqueKeysWithValues: backends)
            }
        )
        observer.process = process
        return process
    }

    /// Lets a process stand still, in the midst of whatever it does.
    func pause(_ process: SimulatedProcess) {
        note("pause \(process.name)")
        checker.paused[process.deployment].insert(process.name)
        process.pause()
    }

    /// Lets a process go on that stood still.
    func resume(_ process: SimulatedProcess) {
        guard process.life.phase == .paused else { return }
        note("resume \(process.name)")
        checker.paused[process.deployment].remove(process.name)
        checker.unsettle(process.deployment)
        checker.disturb(process.deployment)
        process.resume()
    }

    /// Ends a process at once, wherever it is; nobody hears of it again.
    func kill(_ process: SimulatedProcess, losingPower: Bool = false) {
        guard !process.life.isDead else { return }
        note("kill \(process.name)\(losingPower ? ", with the power" : "")")
        counts.add("crashes")
        let deployment = deployments[process.deployment]
        process.lostPower = losingPower
        if losingPower { deployment.dark.insert(process.machine) }
        remove(process, of: deployment)
    }

    /// Takes a process away that is dead, or has come to its end.
    func remove(_ process: SimulatedProcess, of deployment: SimulatedDeployment) {
        process.die()
        checker.unsettle(deployment.index)
        checker.paused[deployment.index].remove(process.name)
        checker.limits[deployment.index].forget(process.name)
        deployment.processes[process.machine] = nil
        deployment.graveyard.append(process)
        deployment.ended.append(process)
        if deployment.isVolatile { checker.didLoseTable(of: deployment.index, "it went with its process") }
    }

    /// Tells the disk of everybody who is gone.
    func buryStores(of deployment: SimulatedDeployment) async {
        while !deployment.ended.isEmpty {
            let process = deployment.ended.removeFirst()
            await deployment.disk.processDidEnd(process.audit.base, losingPower: process.lostPower)
        }
    }

    /// Has a process die when it comes to a certain step of its work.
    func killLater(_ process: SimulatedProcess) {
        let step = ProcessStep.all[random.index(below: ProcessStep.all.count)]
        note("kill \(process.name) at \(step)")
        process.life.arm(step) { [weak self, weak process] in
            guard let self, let process else { return }
            self.counts.add("crash.\(step)")
            self.kill(process)
        }
    }
}
