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
    /// How long a parent waits for its children.
    static let patience = Duration.seconds(15)
    let settleTime: Duration
    /// Whether stores lie on something that can fail by itself.
    let hasRealDisks: Bool
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

    init(seed: UInt64, storage: SimulatedStorage, mutation: Mutation?, scene: Scene?, keepsTrace: Bool) throws {
        var random = SeededGenerator(seed: seed)
        let time = VirtualTime(name: "target")
        executor = SeededExecutor(seed: random.next(), time: time, maximumPicks: 2_000_000)
        target = InMemoryTarget(time: time, seed: random.next())
        let settle = Duration.seconds([20, 60, 120][random.index(below: 3)])
        settleTime = settle
        target.setLatestApplication(settle)
        self.time = time
        hasRealDisks = !storage.isWishGranted
        self.mutation = mutation
        self.scene = scene
        self.keepsTrace = keepsTrace
        let counts = SimulationCounts()
        self.counts = counts
        let names = ["alpha", "beta"]
        let isShared = storage.isWishGranted && (scene?.isShared ?? random.chance(0.5))
        let wishes = names.enumerated().map { index, name in
            let isSharing = index == 0 && isShared
            // A scene is about leases that stay.
            let isVolatile = storage.isWishGranted && !isSharing && scene == nil && random.chance(0.2)
            return SimulatedStorage.Wish(name: name, isShared: isSharing, isVolatile: isVolatile, seed: random.next())
        }
        let plans = wishes.map { wish in
            var plans = [MountPlan.session(&random), .credentials("db", settleTime: settle, &random)]
            if random.chance(0.6) { plans.append(.credentials("cloud/eu", settleTime: settle, &random)) }
            for index in plans.indices {
                scene?.prepare(&plans[index])
                // Others are refused over a store that nobody will remember.
                if wish.isVolatile && !plans[index].isSession { plans[index].abilities.endsByItself = true }
            }
            return plans
        }
        checker = InvariantChecker(target: target, plans: plans) { counts.add($0) }
        for (index, wish) in wishes.enumerated() {
            let (name, isShared) = (wish.name, wish.isShared)
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
                    isVolatile: wish.isVolatile,
                    plans: plans[index],
                    disk: try storage.makeDisk(wish),
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
