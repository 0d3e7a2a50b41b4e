// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How scenes are played.
extension SimulatedWorld {
    /// Plays the next step of a scene, or begins one now and then; nil when it is an ordinary operation's turn.
    func playScene() async -> Duration? {
        guard let scene else { return nil }
        if steps.isEmpty, random.chance(0.15) {
            counts.add("scene.\(scene.rawValue)")
            note("scene \(scene.rawValue)")
            steps = [SceneStep(then: .seconds(3)) { [self] in await clear() }] + script(scene)
        }
        if steps.isEmpty { return nil }
        let step = steps.removeFirst()
        await step.body()
        return step.wait
    }

    /// Everything works and everybody is up, so that only the scene happens.
    private func clear() async {
        target.stopFaults()
        target.replace(by: "target-1")
        for deployment in deployments {
            clearWeather(of: deployment)
            for process in deployment.processes.compactMap({ $0 }) {
                process.life.disarm()
                resume(process)
            }
        }
        await restart()
    }

    private func script(_ scene: Scene) -> [SceneStep] {
        // Who takes part is chosen when the stage is clear.
        let cast = SceneCast()
        func choose(_ index: Int? = nil) {
            cast.process =
                index.flatMap { pick(deployments[$0].processes.compactMap { $0 }.filter(\.isUp)) } ?? someProcess()
            guard let process = cast.process else { return }
            cast.plan = pick(deployments[process.deployment].plans.filter { !$0.isSession })
        }
        switch scene {
        case .orderWhileIssuing: return orderWhileIssuing(cast) { choose() }
        case .orderWhileRenewing: return orderWhileRenewing(cast) { choose() }
        case .lapsedClaim: return lapsedClaim(cast, Array(repeating: .slowReply(.seconds(4)), count: 3)) { choose(0) }
        case .lapsedFailure: return lapsedClaim(cast, [.loseReply]) { choose(0) }
        case .tree: return tree(cast) { choose() }
        case .family: return [SceneStep(then: .seconds(25)) {}] + tree(cast) { choose() }
        case .cancelledCallers: return cancelledCallers(cast) { choose() }
        case .wallJump, .restartAhead: return clocks(scene, cast) { choose(self.random.index(below: 2)) }
        }
    }

    private func orderWhileIssuing(_ cast: SceneCast, _ choose: @escaping () -> Void) -> [SceneStep] {
        [
            SceneStep(then: .milliseconds(500)) { [self] in
                choose()
                target.script(.issue, .delay(.seconds(2)))
                issue(cast)
            },
            SceneStep(then: .seconds(5)) { [self] in
                guard let process = cast.process, let plan = cast.plan else { return }
                revoke(.prefix(plan.path), isClosing: false, on: process, of: deployments[process.deployment])
            },
        ]
    }

    private func orderWhileRenewing(_ cast: SceneCast, _ choose: @escaping () -> Void) -> [SceneStep] {
        [
            SceneStep(then: .seconds(1)) { [self] in
                choose()
                issue(cast)
            },
            SceneStep(then: .milliseconds(300)) { [self] in
                guard let process = cast.process, let id = cast.leases.first else { return }
                target.script(.renew, .slowReply(.seconds(1)))
                call("renew \(id)", on: process) { [self] in
                    let outcome = try await process.manager.renew(id, RenewOptions(increment: .seconds(600)))
                    if process.life.isDead { return }
                    checker.didRenew(id, outcome, by: process)
                }
            },
            SceneStep(then: .seconds(6)) { [self] in
                guard let process = cast.process, let id = cast.leases.first else { return }
                target.script(.revoke, .slowReply(.seconds(3)))
                revoke(.tree(id), isClosing: false, on: process, of: deployments[process.deployment])
            },
        ]
    }

    private func lapsedClaim(
        _ cast: SceneCast,
        _ faults: [TargetFault],
        _ choose: @escaping () -> Void
    ) -> [SceneStep] {
        let lapse = Duration.seconds([15, 40][random.index(below: 2)])
        return [
            SceneStep(then: .seconds(1)) { [self] in
                choose()
                issue(cast)
            },
            SceneStep(then: .milliseconds(500)) { [self] in
                guard let process = cast.process, let id = cast.leases.first else { return }
                for fault in faults { target.script(.revoke, fault) }
                revoke(.tree(id), isClosing: false, on: process, of: deployments[process.deployment])
            },
            SceneStep(then: lapse + .seconds(1)) { [self] in
                guard let process = cast.process else { return }
                pause(process)
            },
            SceneStep(then: .seconds(20)) { [self] in
                guard let process = cast.process else { return }
                resume(process)
            },
        ]
    }

    private func tree(_ cast: SceneCast, _ choose: @escaping () -> Void) -> [SceneStep] {
        [
            SceneStep(then: .seconds(1)) { [self] in
                choose()
                issue(cast)
            },
            SceneStep(then: .seconds(1)) { [self] in
                guard let parent = cast.leases.first else { return }
                for _ in 0..<3 { issue(cast, parent: parent) }
            },
            SceneStep(then: .seconds(30)) { [self] in
                guard let process = cast.process, let id = cast.leases.first else { return }
                // The children take their time, so that a parent that does not wait for them is ended first.
                for _ in 1..<cast.leases.count { target.script(.revoke, .delay(.seconds(2))) }
                revoke(.tree(id), isClosing: false, on: process, of: deployments[process.deployment])
            },
        ]
    }

    private func cancelledCallers(_ cast: SceneCast, _ choose: @escaping () -> Void) -> [SceneStep] {
        [
            SceneStep(then: .seconds(4)) { [self] in
                choose()
                guard let process = cast.process else { return }
                // A way to the store that takes its time, so that the cancellation finds the call at every step of it.
                deployments[process.deployment].weather.withLock { $0 = SimulatedStore.Weather(lag: 1) }
                for _ in 0..<6 { issue(cast, cancelAfter: random.duration(upTo: .milliseconds(900))) }
            },
            SceneStep(then: .seconds(4)) { [self] in
                guard let process = cast.process, let id = someLease(of: deployments[process.deployment]) else {
                    return
                }
                revokeCancelled(id, on: process)
            },
        ]
    }

    private func clocks(_ scene: Scene, _ cast: SceneCast, _ choose: @escaping () -> Void) -> [SceneStep] {
        [
            SceneStep(then: .seconds(5)) { [self] in
                choose()
                for _ in 0..<4 { issue(cast) }
            },
            SceneStep(then: .seconds(20)) { [self] in
                guard let process = cast.process else { return }
                let deployment = deployments[process.deployment]
                let machine = deployment.machines[process.machine]
                if scene == .wallJump {
                    let jump = Duration.seconds(3_600 + random.index(below: 7_200)) * (random.chance(0.5) ? 1 : -1)
                    note("wall of \(machine.name) jumps by \(jump)")
                    counts.add("fault.wallJump")
                    machine.jumpWall(by: jump)
                } else {
                    note("reboot \(machine.name), ten years ahead")
                    counts.add("fault.reboot")
                    kill(process, losingPower: true)
                    deployment.dark.remove(process.machine)
                    await machine.reboot(downFor: .seconds(10))
                    checker.didBoot(deployment.index)
                    machine.jumpWall(by: .seconds(86_400 * 3_650))
                    await restart()
                }
            },
            // By now the shortest of them are over; their holders look as often as they do in any run.
            SceneStep(then: .seconds(20)) {},
            SceneStep(then: .seconds(120)) {},
        ]
    }

    /// Issues a lease of the cast, with everything as usual.
    private func issue(_ cast: SceneCast, parent: LeaseID? = nil, cancelAfter: Duration? = nil) {
        guard let process = cast.process, let plan = cast.plan, let mount = process.mounts[plan.path] else { return }
        let deployment = deployments[process.deployment]
        var options = IssueOptions()
        options.parent = parent
        options.outlivesParentTTL = true
        let given = options
        checker.issuesAsked += 1
        call("issue at \(plan.path)", on: process, cancelAfter: cancelAfter) { [self] in
            let lease = try await mount.issue("app", given)
            if process.life.isDead { return }
            deployment.known.append(lease.id)
            cast.leases.append(lease.id)
            checker.didIssue(lease, by: process)
        }
    }

    /// Revokes from a task that is cancelled already: the order has to be placed all the same.
    private func revokeCancelled(_ id: LeaseID, on process: SimulatedProcess) {
        let deployment = deployments[process.deployment]
        let order = RevocationOrderID(rawValue: random.next() | 1)
        let restores = deployment.restores
        note("revoke \(id) as \(order), cancelled before")
        background("cancelled revoke", on: process) { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    var options = RevokeOptions()
                    options.orderID = order
                    _ = try? await process.manager.revoke(.tree(id), options)
                }
            }
            if process.life.isDead || process.isStopping || deployment.restores != restores { return }
            checker.checkPlaced(order, id, in: deployment.index)
        }
    }
}

/// Who takes part in a scene.
///
/// Unchecked, because a simulated run has one thread.
final class SceneCast: @unchecked Sendable {
    var process: SimulatedProcess?
    var plan: MountPlan?
    var leases: [LeaseID] = []
}
