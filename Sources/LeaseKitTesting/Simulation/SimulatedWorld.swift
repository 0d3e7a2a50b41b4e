// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Everything that a simulated run is made of.
///
/// Unchecked, because a run has one thread: the one that drives its executor.
final class SimulatedWorld: @unchecked Sendable {
    var random: SeededGenerator
    let executor: SeededExecutor
    /// The true time, which is also the target's.
    let time: VirtualTime
    let target: InMemoryTarget
    let checker: InvariantChecker
    let counts: SimulationCounts
    let settleTime: Duration
    let mutation: Mutation?
    let scene: Scene?
    /// What is left of the scene that is being played.
    var steps: [SceneStep] = []
    var deployments: [SimulatedDeployment] = []
    /// What is to be started in tasks of its own.
    var pending: [@Sendable () async -> Void] = []
    var requestNumber = 0
    var phase = "trouble"
    let keepsTrace: Bool
    var trace: [String] = []
    /// How many operations were started and have not come back.
    var running: [Int: (what: String, process: SimulatedProcess)] = [:]
    var callNumber = 0

    init(seed: UInt64, mutation: Mutation?, scene: Scene?, keepsTrace: Bool) {
        var random = SeededGenerator(seed: seed)
        let time = VirtualTime(name: "target")
        executor = SeededExecutor(seed: random.next(), time: time, maximumPicks: 2_000_000)
        target = InMemoryTarget(time: time, seed: random.next())
        let settle = Duration.seconds([20, 60, 120][random.index(below: 3)])
        settleTime = settle
        target.setLatestApplication(settle)
        self.time = time
        self.mutation = mutation
        self.scene = scene
        self.keepsTrace = keepsTrace
        let counts = SimulationCounts()
        self.counts = counts
        let names = ["alpha", "beta"]
        let plans = names.map { _ in
            var plans = [MountPlan.session(&random), .credentials("db", settleTime: settle, &random)]
            if random.chance(0.6) { plans.append(.credentials("cloud/eu", settleTime: settle, &random)) }
            if let scene { for index in plans.indices { scene.prepare(&plans[index]) } }
            return plans
        }
        checker = InvariantChecker(target: target, names: names, plans: plans) { counts.add($0) }
        for (index, name) in names.enumerated() {
            let isShared = index == 0 && (scene?.isShared ?? random.chance(0.5))
            let table = InMemoryLeaseStore(
                deployment: name,
                isExclusive: !isShared,
                entropy: .seeded(random.next()),
                simulatedDurability: true
            )
            let storeClock = VirtualTime(sharing: time, wallOffset: .seconds(random.index(below: 7) - 3), name: "store")
            let machines = (0..<(isShared ? 2 + random.index(below: 2) : 1)).map { number in
                let machine = VirtualTime(
                    sharing: time,
                    wallOffset: .seconds(random.index(below: 121) - 60),
                    uptime: .seconds(random.index(below: 10_000)),
                    name: "\(name)-\(number)"
                )
                machine.drift(partsPerMillion: random.index(below: 201) - 100)
                return machine
            }
            deployments.append(
                SimulatedDeployment(
                    index: index,
                    name: name,
                    isShared: isShared,
                    plans: plans[index],
                    store: AuditedStore(table, deployment: index, checker: checker),
                    storeClock: storeClock,
                    machines: machines
                )
            )
        }
        self.random = random
        mutation?.prepare(target)
    }

    func note(_ line: @autoclosure () -> String) {
        if keepsTrace { trace.append("\(time.read().continuous) \(line())") }
    }

    /// Starts something that is not a caller's, and remembers that it runs.
    func background(_ what: String, on process: SimulatedProcess, _ body: @escaping @Sendable () async -> Void) {
        callNumber += 1
        let number = callNumber
        running[number] = (what, process)
        pending.append { [self] in
            await body()
            running[number] = nil
        }
    }

    /// What has not come back, for the message of a run that does not end.
    var unfinished: String {
        let calls = running.sorted { $0.key < $1.key }.map { "\($0.value.what) on \($0.value.process.name)" }
        let processes = deployments.flatMap { $0.graveyard + $0.processes.compactMap { $0 } }.filter { !$0.hasEnded }
            .map { "\($0.name) (\($0.life.phase))" }
        return "\(phase), calls: \(calls.prefix(10)); processes: \(processes.prefix(10))"
    }

    /// Starts a manager on a machine.
    @discardableResult
    func start(_ machine: Int, of deployment: SimulatedDeployment) -> SimulatedProcess {
        deployment.starts += 1
        let name = "\(deployment.name)-\(machine).\(deployment.starts)"
        let time = deployment.machines[machine].process(named: name)
        let (counts, checker, store) = (counts, checker, deployment.store)
        var configuration = LeaseManager.Configuration(entropy: .seeded(random.next()))
        configuration.executor = executor
        configuration.observationInterval = .seconds(60)
        configuration.revocationWait = .seconds(20)
        configuration.patience = .seconds(15)
        let observer = CheckingObserver(checker: checker)
        configuration.observers = [observer]
        let storeSeed = random.next()
        let entropy = LeaseEntropy.seeded(random.next())
        let mutation = mutation
        let process = SimulatedProcess(
            name: name,
            deployment: deployment.index,
            machine: machine,
            time: time,
            managerTime: mutation?.time(time) ?? time,
            store: { life in
                SimulatedStore(
                    mutation?.store(store) ?? store,
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
                let roles = deployment.plans.filter { !$0.isSession }.map { plan in
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
                        crash: { _ in try await life.pass() }
                    )
                    return (plan.path, backend)
                }
                return Dictionary(uniqueKeysWithValues: roles)
            }
        )
        observer.process = process
        deployment.processes[machine] = process
        note("start \(name)")
        counts.add("starts")
        pending.append {
            do { try await process.manager.run() } catch { checker.checkText("\(error)", "an error") }
            process.hasEnded = true
        }
        background("mount", on: process) { await process.mount(deployment.plans) }
        return process
    }

    /// Ends a process at once, wherever it is; nobody hears of it again.
    func kill(_ process: SimulatedProcess) {
        guard !process.life.isDead else { return }
        note("kill \(process.name)")
        counts.add("crashes")
        process.die()
        let deployment = deployments[process.deployment]
        deployment.processes[process.machine] = nil
        deployment.graveyard.append(process)
    }

    /// A process that takes requests.
    func someProcess() -> SimulatedProcess? {
        let up = deployments.flatMap { $0.processes.compactMap { $0 } }.filter(\.isUp)
        return up.isEmpty ? nil : up[random.index(below: up.count)]
    }

    func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[random.index(below: elements.count)]
    }

    /// A lease that somebody asked for lately.
    func someLease(of deployment: SimulatedDeployment) -> LeaseID? {
        pick(Array(deployment.known.suffix(40)))
    }
}

/// How often things happened.
///
/// Unchecked, because a run has one thread.
final class SimulationCounts: @unchecked Sendable {
    var values: [String: Int] = [:]
    func add(_ key: String, _ count: Int = 1) { values[key, default: 0] += count }
}

/// Shows every event to the checker.
///
/// Unchecked, because a simulated run has one thread.
final class CheckingObserver: LeaseObserver, @unchecked Sendable {
    let checker: InvariantChecker
    /// Whose events they are; set when it has been made.
    weak var process: SimulatedProcess?

    init(checker: InvariantChecker) { self.checker = checker }

    func observe(_ event: LeaseEvent) { checker.didPublish(event, by: process) }
}
