// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The life of a simulated world: trouble, then calm, then the end.
extension SimulatedWorld {
    var isBroken: Bool { !checker.violations.isEmpty }

    func live(operations: Int) async {
        await withDiscardingTaskGroup { group in
            for deployment in deployments {
                for machine in deployment.machines.indices { await start(machine, of: deployment) }
            }
            await begin(&group)
            await time.advance(by: .seconds(1))
            for _ in 0..<operations {
                let wait = await playScene()
                if wait == nil { await operate() }
                await begin(&group)
                await pass(wait)
                if isBroken { break }
            }
            if !isBroken { await calm(&group) }
            await end(&group)
        }
        executor.note(UInt64(truncatingIfNeeded: counts.values.values.reduce(0, +)))
    }

    private func begin(_ group: inout DiscardingTaskGroup) async {
        while !pending.isEmpty {
            let jobs = pending
            pending = []
            for job in jobs { group.addTask { await job() } }
            await executor.settle()
        }
    }

    /// Lets a while pass: mostly an instant, sometimes minutes.
    private func pass(_ given: Duration?) async {
        if let given {
            await time.advance(by: given)
            return await check()
        }
        let roll = random.unit()
        let length: Duration =
            if roll < 0.55 {
                random.duration(upTo: .milliseconds(100))
            } else if roll < 0.9 {
                random.duration(upTo: .seconds(4))
            } else if roll < 0.985 {
                random.duration(upTo: .seconds(60))
            } else {
                random.duration(upTo: .seconds(900))
            }
        await time.advance(by: length)
        await check()
    }

    func check() async {
        for deployment in deployments {
            await deployment.store?.tryToRefresh()
        }
        checker.check()
    }

    /// Faults stop, clocks settle, everybody is up: then everything has to come right.
    private func calm(_ group: inout DiscardingTaskGroup) async {
        phase = "calm"
        note("calm")
        target.stopFaults()
        target.replace(by: "target-1")
        for deployment in deployments {
            clearWeather(of: deployment)
            for machine in deployment.machines.indices {
                if let process = deployment.processes[machine] {
                    process.life.disarm()
                    resume(process)
                    if process.isStopping || process.hasEnded { kill(process) }
                }
                if deployment.processes[machine] == nil { await start(machine, of: deployment) }
            }
        }
        await begin(&group)
        // Whoever was just starting may have come upon the last of the trouble, and given up.
        await time.advance(by: .seconds(5))
        await restart()
        await begin(&group)
        await time.advance(by: .seconds(25))
        for deployment in deployments {
            for process in deployment.processes.compactMap({ $0 }) {
                background("settle", on: process) { [self] in await settle(process, of: deployment) }
            }
        }
        await begin(&group)
        for minute in 0..<30 where !isBroken {
            await time.advance(by: .seconds(minute < 10 ? 20 : 370))
            if minute == 3 { await resumeWhatIsHeldOff(&group) }
            await check()
        }
        if !isBroken { await checkConvergence() }
    }

    /// Everything works at a deployment's store and on the way to it.
    func clearWeather(of deployment: SimulatedDeployment, lag: Double = 0) {
        deployment.weather.withLock { $0 = SimulatedStore.Weather(lag: lag) }
        deployment.disk.setTrouble(SimulatedDiskTrouble())
        checker.disturb(deployment.index, isStoreFailing: false)
    }

    /// What an operator does when the trouble is over.
    private func settle(_ process: SimulatedProcess, of deployment: SimulatedDeployment) async {
        if !process.isReady { await process.mount(deployment.plans) }
        for plan in deployment.plans where !plan.isSession {
            do { try await process.manager.adoptTarget(at: plan.path) } catch { note("adopt: \(error)") }
        }
        do { try await process.manager.resume() } catch { note("resume: \(error)") }
        for order in deployment.closings {
            do { try await process.manager.reopen(order) } catch { note("reopen: \(error)") }
        }
        for plan in deployment.plans {
            do { try await process.manager.rearm(mountAt: plan.path) } catch { note("rearm: \(error)") }
        }
    }

    /// What an operator does who is told of a hold-off: a target that was adopted a moment ago was asked only then what other
    /// copies of the table have made there.
    ///
    /// Once: a hold-off that comes back by itself is found.
    private func resumeWhatIsHeldOff(_ group: inout DiscardingTaskGroup) async {
        for deployment in deployments {
            for process in deployment.processes.compactMap({ $0 }) where !process.manager.holdOffReasons.isEmpty {
                note("held off on \(process.name): \(process.manager.holdOffReasons)")
                background("resume", on: process) { [self] in
                    do { try await process.manager.resume() } catch { note("resume: \(error)") }
                }
            }
        }
        await begin(&group)
    }

    /// Everybody stops, and the dead are buried.
    private func end(_ group: inout DiscardingTaskGroup) async {
        target.stopFaults()
        for deployment in deployments {
            for process in deployment.processes.compactMap({ $0 }) {
                resume(process)
                process.isStopping = true
                process.manager.beginShutdown()
            }
        }
        phase = "stopping"
        await begin(&group)
        await time.advance(by: .seconds(60))
        phase = "burying"
        if !isBroken {
            for deployment in deployments {
                for process in deployment.processes.compactMap({ $0 }) where !process.hasEnded {
                    checker.violate(0, nil, "\(process.name) did not stop within a minute")
                }
            }
        }
        if !isBroken { checkVolatileStores() }
        if !isBroken, let call = running.values.first(where: { !$0.process.life.isDead }) {
            checker.violate(0, nil, "\(call.what) on \(call.process.name) did not come back")
        }
        for deployment in deployments {
            for process in deployment.processes.compactMap({ $0 }) + deployment.graveyard { process.bury() }
        }
        target.stopFaults()
        await time.advance(by: .seconds(60))
        // Who waited for a process that died with its machine waits for ever.
        group.cancelAll()
    }
}
