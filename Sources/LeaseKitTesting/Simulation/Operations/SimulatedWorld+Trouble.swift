// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What goes wrong, and what comes right again.
extension SimulatedWorld {
    func troubleTarget() {
        counts.add("faults")
        let links: [String?] = [nil, "alpha", "beta"]
        let link = links[random.index(below: 3)]
        switch random.index(below: 12) {
        case 0..<3:
            note("chance of faults")
            counts.add("fault.mix")
            let longest = settleTime - .seconds(1)
            var mix = TargetFaultMix.everything(0.1 + 0.4 * random.unit(), longest: longest)
            mix.duplicate = 0
            mix.operations = [.issue, .revoke]
            target.setRandomFaults(mix)
        case 3..<6: script()
        case 6:
            note("partition \(link ?? "all")")
            counts.add("fault.partition")
            target.partition(TargetPartition.allCases[random.index(below: 3)], link: link)
        case 7:
            note("login broken")
            counts.add("fault.login")
            target.setLoginBroken(true)
        case 8:
            note("target replaced")
            counts.add("fault.replaced")
            target.replace(by: "target-2")
        case 9: plant()
        case 10:
            counts.add("fault.inventoryLag")
            target.setInventoryLag(.seconds(random.index(below: 100)))
        default:
            note("hanging requests are let go")
            target.releaseHanging(applying: random.chance(0.6))
        }
    }

    private func script() {
        let span = random.duration(upTo: settleTime - .seconds(1))
        let operation: TargetOperation = [.issue, .renew, .revoke, .fingerprint][random.index(below: 4)]
        var faults: [TargetFault] = [
            .failBefore(), .failBefore(.denied), .failBefore(.transient, scope: .target), .failBefore(.ambiguous),
            .failAfter, .loseReply, .lose, .slowReply(span), .delay(span),
        ]
        if operation == .issue { faults += [.late(span), .late(span), .lateAfterRevoke(plus: span), .hang, .hang] }
        if operation == .revoke { faults += [.late(span), .hang, .duplicate(after: span)] }
        if operation == .renew { faults += [.failBefore(.gone)] }
        let fault = faults[random.index(below: faults.count)]
        note("script \(operation.rawValue) \(fault)")
        counts.add("fault.script")
        target.script(operation, fault)
        if operation == .renew, fault == .failBefore(.gone) { counts.add("fault.gone") }
    }

    /// A stranger takes the name of a credential, or somebody drops it.
    private func plant() {
        guard let deployment = pick(deployments), let id = someLease(of: deployment), let lease = checker.leases[id],
            !lease.name.isEmpty
        else { return }
        lease.excuse = "somebody meddled with it at the target"
        lease.wasMeddledWith = true
        lease.note("excused: meddled with")
        if random.chance(0.5) {
            note("drop \(lease.name)")
            counts.add("fault.dropped")
            if checker.strangers[lease.name] == nil { target.drop(lease.name) }
        } else {
            note("stranger as \(lease.name)")
            counts.add("fault.stranger")
            target.plant(lease.name)
            if let stranger = target.principal(lease.name) { checker.strangers[lease.name] = stranger.number }
        }
    }

    func healTarget() {
        note("heal")
        switch random.index(below: 5) {
        case 0: target.setRandomFaults(TargetFaultMix())
        case 1:
            target.heal()
            for deployment in deployments { target.heal(link: deployment.name) }
        case 2: target.setLoginBroken(false)
        case 3: target.replace(by: "target-1")
        default: target.stopFaults()
        }
    }

    func troubleStore() {
        guard let deployment = pick(deployments) else { return }
        note("weather at the store of \(deployment.name)")
        counts.add("fault.store")
        var weather = SimulatedStore.Weather(lag: 0.3 * random.unit())
        if random.chance(0.5) { weather.unavailable = 0.3 * random.unit() }
        if random.chance(0.5) { weather.unknown = 0.3 * random.unit() }
        deployment.weather.withLock { $0 = weather }
        if hasRealDisks {
            counts.add("fault.disk")
            let trouble = SimulatedDiskTrouble(
                failure: random.chance(0.5) ? 0.02 : 0,
                tear: random.chance(0.5) ? 0.02 : 0,
                lostAnswer: random.chance(0.5) ? 0.05 : 0
            )
            deployment.disk.setTrouble(trouble)
        }
        checker.disturb(deployment.index, isStoreFailing: weather.unavailable > 0 || hasRealDisks)
    }

    func healStore() {
        for deployment in deployments { clearWeather(of: deployment, lag: 0.1) }
    }

    func crash() {
        guard let process = pick(deployments.flatMap { $0.processes.compactMap { $0 } }) else { return }
        if hasRealDisks, random.chance(0.3) {
            let count = 1 + random.index(below: 40)
            note("power cut for \(process.name) after \(count) changes")
            counts.add("fault.power")
            deployments[process.deployment].disk.cutPower(afterChanges: count)
        } else if random.chance(0.5) {
            killLater(process)
        } else {
            kill(process)
        }
    }

    func restart() async {
        for deployment in deployments {
            for machine in deployment.machines.indices {
                if let process = deployment.processes[machine], process.hasEnded { remove(process, of: deployment) }
                if deployment.processes[machine] == nil { await start(machine, of: deployment) }
            }
        }
    }

    func pauseOrResume() {
        let all = deployments.flatMap { $0.processes.compactMap { $0 } }
        if let paused = all.first(where: { $0.life.phase == .paused }) {
            resume(paused)
        } else if let process = pick(all) {
            counts.add("fault.pause")
            pause(process)
        }
    }

    func stopOrderly() {
        guard let process = someProcess() else { return }
        note("stop \(process.name)")
        counts.add("stops")
        process.isStopping = true
        process.manager.beginShutdown()
    }

    func troubleClock() async {
        guard let deployment = pick(deployments) else { return }
        let index = random.index(below: deployment.machines.count)
        let machine = deployment.machines[index]
        checker.unsettle(deployment.index)
        switch random.index(below: 4) {
        case 0, 1:
            let jump = Duration.seconds(random.index(below: 14_400) - 7_200)
            note("wall of \(machine.name) jumps by \(jump)")
            counts.add("fault.wallJump")
            machine.jumpWall(by: jump)
        case 2:
            note("suspend \(machine.name)")
            counts.add("fault.suspend")
            let length = random.duration(upTo: .seconds(300))
            checker.disturb(deployment.index, lasting: length)
            await machine.suspend(for: length)
        default:
            note("reboot \(machine.name)")
            counts.add("fault.reboot")
            if let process = deployment.processes[index] { kill(process, losingPower: true) }
            deployment.dark.remove(index)
            await machine.reboot(downFor: random.duration(upTo: .seconds(120)))
            checker.didBoot(deployment.index)
            if random.chance(0.3) { machine.jumpWall(by: .seconds(86_400 * 3_650)) }
        }
    }

    /// The table is lost, and an older copy takes its place.
    func restoreBackup() async {
        guard let deployment = pick(deployments) else { return }
        guard deployment.hasCopy else { return await makeCopy(of: deployment) }
        note("restore \(deployment.name)")
        counts.add("restores")
        for process in deployment.processes.compactMap({ $0 }) { kill(process) }
        await buryStores(of: deployment)
        do { try await deployment.disk.putBackCopy() } catch { return note("restore: \(error)") }
        deployment.hasCopy = false
        deployment.restores += 1
        deployment.store = nil
        checker.didLoseTable(of: deployment.index, "a backup was restored")
    }

    private func makeCopy(of deployment: SimulatedDeployment) async {
        guard let store = deployment.store, store.isOpen, deployment.disk.hasPower else { return }
        note("backup of \(deployment.name)")
        let isMarked = random.chance(0.7)
        do {
            deployment.hasCopy = try await deployment.disk.makeCopy(isMarked: isMarked, of: store.base)
        } catch {
            note("backup: \(error)")
        }
    }
}
